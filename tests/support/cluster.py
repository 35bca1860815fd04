"""A PostgreSQL of the test's own, for what kills it or shares it between two servers."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from support.server import wait_until

BIN = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))


class Cluster:
    """A superuser called `owner`, on a Unix socket; stopped and deleted by close()."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vf-pg-"))
        self.data = self.folder / "data"
        self.user = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self.user = "postgres"
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "-D", self.data, "-U", "owner", "--auth=trust", "-E", "UTF8", "-N",
                  "--locale=C")
        self.process = None
        self.start()

    def _as_user(self, *command):
        words = [str(word) for word in command]
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups",
                *words] if self.user else words

    def _run(self, program, *arguments):
        subprocess.run(self._as_user(BIN / program, *arguments), check=True, capture_output=True,
                       cwd="/")

    def start(self):
        # A postmaster that was killed leaves children that hold its memory for a moment.
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            self._as_user(BIN / "postgres", "-D", self.data, "-k", self.folder, "-h", "",
                          "-c", "max_connections=60", "-c", "shared_buffers=32MB"),
            stdout=self.log, stderr=self.log, cwd="/", start_new_session=True)
        wait_until(self.answers, 30, "PostgreSQL")

    def answers(self):
        if self.process.poll() is not None:  # it found its predecessor's children still there
            self.process = subprocess.Popen(
                self._as_user(BIN / "postgres", "-D", self.data, "-k", self.folder, "-h", "",
                              "-c", "max_connections=60", "-c", "shared_buffers=32MB"),
                stdout=self.log, stderr=self.log, cwd="/", start_new_session=True)
        return subprocess.run([BIN / "pg_isready", "-q", "-h", self.folder]).returncode == 0

    def kill(self):
        """kill -9, of the postmaster and every child of it."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        # Children make process groups of their own.
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if os.readlink(entry / "cwd") == str(self.data):
                    os.kill(int(entry.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # fast shutdown
        self.process.wait(30)

    def url(self, database="voiceflow"):
        return f"postgresql://owner@/{database}?host={self.folder}"

    def sql(self, statement, database="voiceflow"):
        """Rows as lists of texts."""
        out = subprocess.run(["psql", self.url(database), "-qAt", "-F", "\t", "-v",
                              "ON_ERROR_STOP=1", "-c", statement],
                             capture_output=True, text=True, check=True).stdout
        return [line.split("\t") for line in out.splitlines()]

    def create_database(self, name="voiceflow"):
        self.sql(f'CREATE DATABASE "{name}"', "postgres")

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
