"""Loudness and true peak of every voice over one fixed text of about 30 s.

Starts the server of the build given, speaks the text with each voice and measures with ffmpeg's
EBU R 128 filter. Prints a table; exits with 1 when a voice is further than 1.5 LU from -20 LUFS or
has a true peak above -1 dBTP.
    bench/voices/levels.py [--build build/release] [--engine flite]
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

import httpx

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET_LUFS, TOLERANCE, MAX_PEAK = -20.0, 1.5, -1.0


def measure(wav):
    done = subprocess.run(["ffmpeg", "-hide_banner", "-i", "-", "-af", "ebur128=peak=true",
                           "-f", "null", "-"], input=wav, capture_output=True, check=True)
    summary = done.stderr.decode().rsplit("Summary:", 1)[1]
    loudness = float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary)[1])
    peak = float(re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)[1])
    return loudness, peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--engine")
    chosen = parser.parse_args()
    os.environ["VF_BUILD"] = chosen.build
    sys.path.insert(0, str(ROOT / "tests"))
    from support.server import Server

    text = (pathlib.Path(__file__).parent / "text.txt").read_text()
    wrong = 0
    server = Server()
    try:
        with httpx.Client(base_url=server.url, timeout=120) as client:
            query = {"engine": chosen.engine} if chosen.engine else {}
            for voice in client.get("/api/voices", params=query).json()["voices"]:
                reply = client.post("/v1/generate", json={"text": text, "voice": voice["id"]})
                reply.raise_for_status()
                loudness, peak = measure(reply.content)
                bad = abs(loudness - TARGET_LUFS) > TOLERANCE or peak > MAX_PEAK + 0.05
                wrong += bad
                print(f"{voice['id']:<24} {loudness:7.1f} LUFS {peak:6.1f} dBTP"
                      f"{'  <- out of bounds' if bad else ''}")
    finally:
        server.close()
    print(f"{wrong} out of bounds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
