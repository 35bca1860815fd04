"""Schemathesis: requests made from the description, answers held against it."""

import os
import pathlib
import subprocess
import sys

import pytest

from support.server import ROOT


@pytest.mark.timeout(600)
def test_the_server_keeps_its_description(server, tmp_path):
    st = pathlib.Path(sys.executable).with_name("st")
    done = subprocess.run(
        [st, "run", ROOT / "api" / "openapi.yaml", "--url", server.url, "--max-examples",
         "15" if "asan" in os.environ.get("VF_BUILD", "") else "40", "--seed", "1", "--workers", "2",
         "--exclude-checks", "unsupported_method,positive_data_acceptance",
         "--generation-database", "none", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=580,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
