"""Runs `voiceflowd models …` beside a server or without one."""

import json
import subprocess

from .server import VOICEFLOWD


def models(data_dir, *arguments, check=True):
    """What the command prints with --json; without `check` the finished process."""
    done = subprocess.run(
        [str(VOICEFLOWD), "models", *map(str, arguments), "--json", f"--data.dir={data_dir}"],
        capture_output=True, text=True, timeout=120, check=False)
    if not check:
        return done
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(data_dir, *arguments):
    """The reason of a command that must fail."""
    done = models(data_dir, *arguments, check=False)
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("voiceflowd: "), done.stderr
    return done.stderr
