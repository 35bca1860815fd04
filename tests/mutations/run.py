"""Shows that each protection's test fails when the protection is removed.

Every *.patch here begins with lines "# fails: PROGRAM [arguments]"; the rest is a diff. Each is
applied to a copy of the sources, the program is built there, and must pass before and fail after.
    tests/mutations/run.py [name ...]
"""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run(command, folder, **options):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace",
                          env={**os.environ, "CCACHE_BASEDIR": str(folder), "CCACHE_NOHASHDIR": "1"},
                          **options)


def test_passes(copy, command):
    program, *arguments = shlex.split(command)
    built = run(["ninja", "-C", "build/dev", program, "voiceflow_workers"], copy)
    if built.returncode != 0:
        print(built.stdout[-3000:])
        raise SystemExit(f"{command}: does not build")
    try:
        return run([f"build/dev/bin/{program}", *arguments], copy, timeout=300).returncode == 0
    except subprocess.TimeoutExpired:
        return False  # a test that waits for ever has noticed, too


def main():
    chosen = sys.argv[1:]
    survivors = []
    with tempfile.TemporaryDirectory(prefix="vf-mutations-") as folder:
        copy = pathlib.Path(folder)
        files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, files.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        configured = run(["cmake", "--preset", "dev"], copy)
        if configured.returncode != 0:
            raise SystemExit(configured.stderr)
        for patch in sorted(HERE.glob("*.patch")):
            if chosen and patch.stem not in chosen:
                continue
            commands = [line.removeprefix("# fails:").strip()
                        for line in patch.read_text().splitlines() if line.startswith("# fails:")]
            for command in commands:
                if not test_passes(copy, command):
                    survivors.append(f"{patch.stem}: '{command}' fails without the mutation too")
            applied = run(["git", "apply", "-p1", str(patch)], copy)
            if applied.returncode != 0:
                survivors.append(f"{patch.stem}: does not apply any more: {applied.stderr.strip()}")
                continue
            for command in commands:
                killed = not test_passes(copy, command)
                print(f"{patch.stem}: {'found' if killed else 'NOT FOUND'} by {command}", flush=True)
                if not killed:
                    survivors.append(f"{patch.stem}: not found by '{command}'")
            run(["git", "apply", "-R", "-p1", str(patch)], copy)
    print("\n".join(survivors) or "every mutation was found")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
