"""What an installed machine hides: a bare Debian 12 in a folder, in which the product must come up from
a clone and from its packages. Long, and only as root."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import httpx
import pytest

from support import toy_models
from support.audio import align, decode
from support.server import ROOT, wait_until

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600),
              pytest.mark.skipif(os.geteuid() != 0, reason="makes a root file system")]


class BareRoot:
    def __init__(self, packages):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vf-bare-"))
        subprocess.run(["mmdebstrap", "--variant=apt", f"--include={packages}", "bookworm",
                        self.folder], check=True, capture_output=True)
        subprocess.run(["mount", "-t", "proc", "proc", self.folder / "proc"], check=True)

    def command(self, script, **environment):
        variables = [f"{key}={value}" for key, value in environment.items()]
        return ["chroot", str(self.folder), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/root", "DEBIAN_FRONTEND=noninteractive", *variables, "bash", "-ec", script]

    def run(self, script):
        done = subprocess.run(self.command(script), capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    def speaks(self, start):
        """Starts the server by `start`, lets it speak one sentence, and stops it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(self.command("exec " + start, VOICEFLOW_HTTP_PORT=port),
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = server.stdout.readline()
            assert line == f"VoiceFlow is ready at http://127.0.0.1:{port}\n", line
            reply = httpx.post(f"http://127.0.0.1:{port}/v1/generate",
                               json={"text": "Hello from my own machine."}, timeout=30)
            words = align(decode(reply.content, "wav"), ["hello", "from", "my", "own", "machine"])
            assert words and words[-1][0] == "machine"
        finally:
            server.terminate()
            assert server.wait(20) == 0

    def close(self):
        subprocess.run(["umount", self.folder / "proc"], check=False)
        wait_until(lambda: not os.path.ismount(self.folder / "proc"), what="the unmount")
        shutil.rmtree(self.folder)


@pytest.fixture
def bare_root(request):
    root = BareRoot(request.param)
    yield root
    root.close()


@pytest.mark.parametrize("bare_root", ["ca-certificates,git"], indirect=True)
def test_a_clone_runs(bare_root):
    subprocess.run(["git", "clone", "-q", ROOT, bare_root.folder / "src"], check=True)
    bare_root.speaks("/src/scripts/run")
    # The second call has nothing to install.
    bare_root.run("cd /src && timeout 2 scripts/setup run build")


@pytest.mark.parametrize("bare_root", ["ca-certificates"], indirect=True)
def test_packages_speak_without_a_compiler(bare_root):
    subprocess.run([ROOT / "scripts" / "package"], check=True, capture_output=True)
    for package in (ROOT / "dist").iterdir():
        shutil.copy(package, bare_root.folder / "opt")
    bare_root.run("cd /opt && mkdir tarball && tar xzf *.tar.gz -C tarball --strip-components=1 && "
                  "tarball/share/voiceflow/install-runtime")
    bare_root.speaks("/opt/tarball/bin/voiceflowd serve")
    bare_root.run("apt-get install -y --no-install-recommends /opt/*.deb && ! command -v cc")
    bare_root.speaks("/usr/bin/voiceflowd serve")
    toy_models.piper(bare_root.folder / "opt" / "toy")
    bare_root.run("voiceflowd models install /opt/toy && voiceflowd models probe en_us-lessac-medium")
