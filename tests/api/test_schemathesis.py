"""Schemathesis: requests made from the description, answers held against it."""

import os
import pathlib
import subprocess
import sys

import pytest

from support.server import ROOT, Server


def run(url, folder, *options):
    st = pathlib.Path(sys.executable).with_name("st")
    done = subprocess.run(
        [st, "run", ROOT / "api" / "openapi.yaml", "--url", url, "--seed", "1", "--no-color",
         "--warnings", "off", "--generation-database", "none", "--exclude-checks",
         # What has nothing speakable in it is valid by its schema and refused all the same; an
         # unknown method's answer and `Allow`, which names GET where there is a socket, are checked
         # in test_system.py. A scenario may delete what it made twice, and takes the second answer
         # for a resource that was never there.
         "unsupported_method,allow_header_conformance,positive_data_acceptance,"
         "ensure_resource_availability",
         # An answer without end: test_events.py.
         "--exclude-path-regex", "/events$",
         # Calls whom the request names, on the internet too: test_vendors.py.
         "--exclude-operation-id", "createVendor", "--exclude-operation-id", "createVendorAlias",
         *options],
        cwd=folder, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


@pytest.mark.timeout(600)
def test_the_examples_of_the_description_work(server, tmp_path):
    run(server.url, tmp_path, "--phases", "examples")


@pytest.mark.timeout(600)
def test_the_server_keeps_its_description(tmp_path):
    # The quickest engine: texts of 5,000 characters are among the cases. So are query parameters
    # longer than a target may be, which is a 414 that no operation lists.
    quick = Server(settings={"ENGINES_ENABLE": "espeak", "SPEECH_DEFAULT_VOICE": "espeak-en-us",
                             "HTTP_MAX_TARGET_BYTES": "32KiB", "HTTP_MAX_HEADER_BYTES": "64KiB"})
    try:
        few = "asan" in os.environ.get("VF_BUILD", "")
        run(quick.url, tmp_path, "--max-examples", "10" if few else "30")
        assert quick.stop() == 0
    finally:
        quick.close()
