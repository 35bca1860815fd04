"""Words and files that have no place in the project."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b|\bsk_live_\w{8}")
LOCAL_PATH = re.compile(r"(?<![\w.])/(home|root|Users)/\w")
MAX_BYTES = 256 * 1024


def main():
    wrong = []
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, files.stdout.decode().split("\0")):
        path = ROOT / name
        if not path.is_file() or name.startswith("tests/lint/"):
            continue
        data = path.read_bytes()
        if "/corpus/" in name:
            continue
        if len(data) > MAX_BYTES:
            wrong.append(f"{name}: larger than {MAX_BYTES} bytes; can a script make it?")
        if b"\0" in data:
            wrong.append(f"{name}: a binary file")
            continue
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            for rule, what in ((UNFINISHED, "unfinished"), (SECRET, "looks like a secret"),
                               (LOCAL_PATH, "a path of one machine")):
                if rule.search(line):
                    wrong.append(f"{name}:{number}: {what}: {line.strip()[:80]}")
            if str(ROOT) in line:
                wrong.append(f"{name}:{number}: the path of this checkout: {line.strip()[:80]}")
    print("\n".join(wrong) or "words: nothing out of place", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
