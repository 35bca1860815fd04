"""Runs every kind of test and adds up what passed. Called by scripts/test."""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}
# Programs in which more than one thread touches the same memory.
THREADED = ["base_test", "http_test", "pg_test", "speech_test", "usage_test"]


class Tally:
    def __init__(self):
        self.passed = 0
        self.failures = []

    def add(self, passed, failures):
        self.passed += passed
        self.failures += failures

    def step(self, name, command, env=None, timeout=1800):
        """One command that counts as one test."""
        say(name)
        started = time.monotonic()
        try:
            done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})},
                                  capture_output=True, text=True, timeout=timeout)
            ok, output = done.returncode == 0, done.stdout + done.stderr
        except subprocess.TimeoutExpired as late:
            ok, output = False, f"no end after {late.timeout} s"
        if ok:
            self.passed += 1
        else:
            print("\n".join(output.splitlines()[-60:]), flush=True)
            self.failures.append(name)
        print(f"    {'ok' if ok else 'FAILED'}, {time.monotonic() - started:.0f} s", flush=True)
        return ok


def say(text):
    print(f"==> {text}", flush=True)


def build(preset, *targets):
    subprocess.run([ROOT / "scripts" / "build", preset, *targets], cwd=ROOT, check=True)


def results(path):
    """(passed, failures) of a JUnit XML file."""
    passed, failures = 0, []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(name)
        elif case.find("skipped") is None and case.get("status") != "notrun":
            passed += 1
    return passed, failures


def unit_tests(tally, preset, only=None):
    for program in sorted((ROOT / "build" / preset / "bin").glob("*_test")):
        if only and program.name not in only:
            continue
        say(f"{program.name} ({preset})")
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.xml"
            try:
                done = subprocess.run([program, f"--gtest_output=xml:{report}", "--gtest_brief=1"],
                                      cwd=ROOT, env={**os.environ, **SANITIZER_OPTIONS},
                                      capture_output=True, text=True, errors="replace", timeout=900)
                code, output = done.returncode, done.stdout + done.stderr
            except subprocess.TimeoutExpired:
                code, output = -1, "no end after 900 s"
            if code != 0:
                print("\n".join(output.splitlines()[-80:]), flush=True)
            if report.exists():
                passed, failures = results(report)
                tally.add(passed, failures)
                if code != 0 and not failures:  # a sanitizer's word after the last test
                    tally.failures.append(f"{program.name} ({preset}) ended with {code}")
            else:
                tally.failures.append(f"{program.name} ({preset}) ended with {code}")


def pytest(tally, preset, *arguments, env=None):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", f"--junitxml={report}", *arguments], cwd=ROOT / "tests",
            env={**os.environ, **SANITIZER_OPTIONS, **(env or {}),
                 "VF_BUILD": str(ROOT / "build" / preset), "PYTHONPATH": str(ROOT / "tests"),
                 "PYTHONDONTWRITEBYTECODE": "1"})
        if not report.exists():
            tally.failures.append(f"pytest {' '.join(arguments)} ended with {done.returncode}")
            return
        passed, failures = results(report)
        tally.add(passed, failures)
        if done.returncode not in (0, 1):
            tally.failures.append(f"pytest ended with {done.returncode}")


def fuzz(tally, seconds):
    build("fuzz", "voiceflow_fuzzers")
    for program in sorted((ROOT / "build" / "fuzz" / "bin").glob("*_fuzz")):
        corpus = ROOT / "tests" / "fuzz" / "corpus" / program.name.removesuffix("_fuzz")
        with tempfile.TemporaryDirectory() as found:
            tally.step(f"{program.name}, {seconds} s",
                       [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
                        "-print_final_stats=1", f"-artifact_prefix={found}/", found, corpus],
                       env=SANITIZER_OPTIONS, timeout=seconds + 120)


def contract_is_covered(tally, seen_file):
    """Every documented status must have occurred."""
    sys.path.insert(0, str(ROOT / "tests"))
    import json
    from support import contract
    seen = set()
    if seen_file.exists():
        seen = {tuple(json.loads(line)) for line in seen_file.read_text().splitlines()}
    missing = sorted(contract.documented() - seen)
    for method, path, status in missing:
        tally.failures.append(f"no test saw {method.upper()} {path} answer {status}")
    tally.passed += len(contract.documented()) - len(missing)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--all", action="store_true")
    chosen = parser.parse_args()
    started = time.monotonic()
    tally = Tally()

    tally.step("lint", [ROOT / "scripts" / "lint"])
    build("release")
    if chosen.fast:
        unit_tests(tally, "release")
        pytest(tally, "release", "smoke")
        return finish(tally, started)

    build("asan")
    unit_tests(tally, "asan")
    with tempfile.TemporaryDirectory() as folder:
        seen = pathlib.Path(folder) / "seen"
        extra = ["--all"] if chosen.all else []
        pytest(tally, "asan", *extra, "api", "cli", env={"VF_SEEN_FILE": str(seen)})
        pytest(tally, "release", *extra, "smoke", "sdk", "page", "release",
               env={"VF_SEEN_FILE": str(seen)})
        contract_is_covered(tally, seen)
    build("tsan", *THREADED, "voiceflow_workers")
    unit_tests(tally, "tsan", only=THREADED)
    fuzz(tally, 600 if chosen.all else 10)
    if chosen.all:
        tally.step("mutations", [sys.executable, ROOT / "tests" / "mutations" / "run.py"],
                   timeout=7200)
    return finish(tally, started)


def finish(tally, started):
    for failure in tally.failures:
        print(f"FAILED {failure}")
    print(f"{(time.monotonic() - started) / 60:.1f} minutes")
    print(f"{tally.passed} passed, {len(tally.failures)} failed", flush=True)
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
