"""The thirteen names are thirteen voices, and all voices are equally loud. Measured on the release
build, by the scripts of bench/voices."""

import subprocess
import sys

from support.server import BUILD, ROOT


def test_the_thirteen_are_distinct():
    done = subprocess.run([sys.executable, ROOT / "bench" / "voices" / "distinct.py", BUILD / "bin" / "voice_samples"],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_levels_and_peaks():
    done = subprocess.run([sys.executable, ROOT / "bench" / "voices" / "levels.py", "--build", BUILD],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
