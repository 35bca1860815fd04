"""What the rows of scripts/bench share: building blocks that measure, and the table."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
os.environ["VF_BUILD"] = str(BUILD)
sys.path.insert(0, str(ROOT / "tests"))

SENTENCE = "The quick brown fox jumps over the lazy dog near the river."  # 59 characters
PARAGRAPH = ("It was a quiet morning in the small town by the sea. The fishing boats had left before "
             "sunrise, and only a few people walked along the harbour wall. A woman opened the doors "
             "of her bakery, and the smell of fresh bread drifted across the square. Children on "
             "their way to school stopped at the window to look at the cakes. Somewhere a radio was "
             "playing an old song that everyone knew, and for a moment nobody in the whole street was "
             "in a hurry to be anywhere else at all.")
ROUNDS = 7
SECONDS = 4

rows = []


def report(what, ours, reference, ratio, bar, holds):
    rows.append((what, ours, reference, ratio, bar, holds))
    print(f"{what}: {ours} against {reference}: {ratio} (bar {bar}) {'holds' if holds else 'MISSED'}",
          flush=True)


def wrk(url, connections, script=None, seconds=SECONDS):
    """Requests a second."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script:
            file.write(script)
            file.flush()
            command += ["-s", file.name]
        out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    assert not bad, out
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def post_script(body):
    return (f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
            f"wrk.body = [==[{json.dumps(body)}]==]\n")


def compare(*ways):
    """Medians of alternating rounds, one for each way."""
    taken = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, figures in zip(ways, taken):
            figures.append(way())
    return [statistics.median(figures) for figures in taken]


def pool_bench(*options):
    """The bare worker pool, driven directly."""
    out = subprocess.run([BUILD / "bin" / "pool_bench", *map(str, options)], capture_output=True,
                         text=True, check=True).stdout
    return {"requests_per_second": float(re.search(r"segments/s ([\d.]+)", out)[1]),
            "first_chunk_ms_p50": float(re.search(r"first_ms p50 ([\d.]+)", out)[1])}


def program(name, *arguments):
    return subprocess.run([BUILD / "bin" / name, *map(str, arguments)], capture_output=True,
                          text=True, check=True).stdout


def print_table():
    print("\n| what | ours | beside it | ratio | bar | |\n|---|---|---|---|---|---|")
    for what, ours, reference, ratio, bar, holds in rows:
        print(f"| {what} | {ours} | {reference} | {ratio} | {bar} | {'holds' if holds else 'missed'} |")
