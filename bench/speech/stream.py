"""Text that comes word by word, many sockets at once, and what times cost."""

import asyncio
import base64
import json
import os
import re
import statistics
import time

import websockets

from measure import PARAGRAPH, compare, pool_bench, program, report
from support.server import Server

FORMAT = "output_format=pcm_16000"
SOCKETS = 200
BYTES_PER_SECOND = 32_000
FIRST, REST = PARAGRAPH.split(". ", 1)


async def first_audio(url, voice):
    """Milliseconds from the space behind a sentence to the first audio of it."""
    path = f"/v1/text-to-speech/{voice}/stream-input?{FORMAT}&auto_mode=true"
    async with websockets.connect(url.replace("http", "ws") + path, max_size=None) as ws:
        await ws.send(json.dumps({"text": " "}))
        words = (FIRST + ".").split(" ")
        for word in words[:-1]:
            await ws.send(json.dumps({"text": word + " "}))
        await asyncio.sleep(0.05)
        since = time.perf_counter()
        await ws.send(json.dumps({"text": words[-1] + " "}))
        while True:
            message = json.loads(await ws.recv())
            if message.get("audio"):
                took = (time.perf_counter() - since) * 1000
                break
        await ws.send(json.dumps({"text": ""}))
        async for _ in ws:
            pass
    return took


def stream_input():
    server = Server(settings={"LOG_LEVEL": "warning"})
    try:
        def ours():
            return statistics.median(asyncio.run(first_audio(server.url, "slt")) for _ in range(8))

        def engine():
            # One worker and one caller: each utterance by itself.
            return pool_bench("--voice", "slt", "--text", FIRST + ".", "--workers", 1,
                              "--seconds", 1)["first_chunk_ms_p50"]
        ours(), engine()
        mine, theirs = compare(ours, engine)
    finally:
        server.close()
    ratio = mine / theirs
    report("first audio over stream-input, word by word, flite slt", f"{mine:.1f} ms",
           f"the engine's own first chunk of the sentence {theirs:.1f} ms", f"{ratio:.2f}",
           "≤ 1.2 ×", ratio <= 1.2)


async def listener(url, number, underruns):
    """Plays a paragraph as it comes: each time the sound ran out is an underrun."""
    path = f"/v1/text-to-speech/espeak-en-us/stream-input?{FORMAT}"
    async with websockets.connect(url.replace("http", "ws") + path, max_size=None,
                                  open_timeout=60) as ws:
        await ws.send(json.dumps({"text": " "}))
        text = f"Listener number {number}. " + PARAGRAPH

        async def write():
            for word in text.split(" "):
                await ws.send(json.dumps({"text": word + " "}))
                await asyncio.sleep(0.05)  # a language model's pace
            await ws.send(json.dumps({"text": ""}))
        writing = asyncio.create_task(write())
        began, heard = None, 0.0
        async for message in ws:
            audio = json.loads(message).get("audio")
            if not audio:
                continue
            now = time.perf_counter()
            if began is None:
                began = now
            elif now - began > heard:
                underruns.append(now - began - heard)
                began = now - heard  # the player waits
            heard += len(base64.b64decode(audio)) / BYTES_PER_SECOND
        await writing
    return heard


def sockets():
    server = Server(settings={"LOG_LEVEL": "warning", "SPEECH_MAX_CONCURRENT": "400",
                              "ENGINES_ENABLE": "espeak"})
    underruns = []

    async def all_of_them():
        return await asyncio.gather(*(listener(server.url, n, underruns) for n in range(SOCKETS)))
    try:
        heard = asyncio.run(all_of_them())
    finally:
        server.close()
    assert min(heard) > 10, "a listener did not hear its paragraph"
    report(f"{SOCKETS} sockets at once on {os.cpu_count()} cores, espeak, played as it comes",
           f"{len(underruns)} underruns", f"{sum(heard):.0f} s of audio", "–", "none",
           not underruns)


def timeline():
    for voice in ("slt", "espeak-en-us"):
        out = program("timeline_bench", voice)
        plain, full, ratio = re.search(
            r"plain ([\d.]+) ms/s  timeline and SSML ([\d.]+) ms/s  ratio ([\d.]+)", out).groups()
        report(f"processor time for a second of audio with timeline and SSML, {voice}",
               f"{full} ms", f"plain text without times {plain} ms", ratio, "< 1.05 ×",
               float(ratio) < 1.05)
