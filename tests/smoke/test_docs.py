"""What the documentation shows is what there is."""

import subprocess
import sys

from support.server import ROOT


def test_the_drawing_of_the_schema_is_true():
    done = subprocess.run([sys.executable, ROOT / "docs" / "draw_schema.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
