"""Starts the real server on a port the system chooses, with a data folder of its own."""

import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VF_BUILD", ROOT / "build" / "release"))
VOICEFLOWD = BUILD / "bin" / "voiceflowd"
VOICEFLOW = BUILD / "bin" / "voiceflow"
START_SECONDS = 60

READY = re.compile(r"^VoiceFlow is ready at (http\S+)$")


class Server:
    """One running voiceflowd. `settings` are environment variables without VOICEFLOW_."""

    def __init__(self, data_dir=None, settings=None, wait=True):
        self.own_data_dir = data_dir is None
        self.data_dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix="vf-test-"))
        if self.own_data_dir:
            os.chmod(self.data_dir, 0o755)  # the database's user must come through
        self.settings = dict(settings or {})
        self.url = None
        self.process = None
        self.log = []
        self.start(wait)

    def start(self, wait=True):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("VOICEFLOW_") and k != "DATABASE_URL"}
        env["VOICEFLOW_DATA_DIR"] = str(self.data_dir)
        env["VOICEFLOW_HTTP_PORT"] = "0"
        env["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
        for key, value in self.settings.items():
            env[key if key == "DATABASE_URL" else f"VOICEFLOW_{key}"] = str(value)
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [str(VOICEFLOWD), "serve"], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout, lines), daemon=True).start()
        self._log_reader = threading.Thread(
            target=self._keep, args=(self.process.stderr,), daemon=True)
        self._log_reader.start()
        self.ready_after = None
        if wait:
            self.wait_ready(lines)
        self._lines = lines

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    def _keep(self, stream):
        for line in stream:
            self.log.append(line.rstrip("\n"))

    def wait_ready(self, lines=None):
        lines = lines or self._lines
        deadline = time.monotonic() + START_SECONDS
        while True:
            line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
            if line is None:
                raise RuntimeError("the server ended:\n" + "\n".join(self.log[-30:]))
            match = READY.match(line)
            if match:
                self.url = match[1]
                self.ready_after = time.monotonic() - self.started_at
                return

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def stop(self, timeout=15):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop:\n" + "\n".join(self.log[-30:]))
        self._log_reader.join(5)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        if self.own_data_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def children(self, name=None):
        """Pids of all descendants, or of those whose program is called `name`."""
        parents = {}
        names = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
                names[int(entry.name)] = os.path.basename(
                    (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace"))
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
        found = []
        for pid in parents:
            up = pid
            while up in parents and up != self.process.pid:
                up = parents[up]
            if up == self.process.pid and pid != self.process.pid:
                if name is None or names[pid] == name:
                    found.append(pid)
        return found


def wait_until(condition, seconds=10, what="the condition"):
    """Polls until true: for what other processes do in their own time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def is_ready(url):
    try:
        return httpx.get(url + "/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
