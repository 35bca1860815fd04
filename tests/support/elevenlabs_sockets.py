"""ElevenLabs' sockets as their clients use them."""

import base64
import contextlib

import websockets

from .sockets import connect, receive, send, until_closed

SINGLE = "/v1/text-to-speech/slt/stream-input"
MULTI = "/v1/text-to-speech/slt/multi-stream-input"
PCM = "output_format=pcm_16000"


def audio_of(messages, context=None):
    return b"".join(base64.b64decode(m["audio"]) for m in messages
                    if m.get("audio") and m.get("contextId") == context)


def speak(server, texts, query=PCM, first=None, path=SINGLE):
    """All messages of one speech, and the close code."""
    with connect(server, f"{path}?{query}") as ws:
        with contextlib.suppress(websockets.ConnectionClosed):  # an error may come before the end
            send(ws, text=" ", **(first or {}))
            for text in texts:
                send(ws, text=text)
            send(ws, text="")
        return until_closed(ws)


def characters(messages, kind="alignment", context=None):
    """(character, start, end) in seconds on the whole clock, as clients add the spans up."""
    clock, found = 0.0, []
    for message in messages:
        alignment = message.get(kind)
        if message.get("contextId") != context or not alignment:
            continue
        chars, starts, spans = (alignment[key] for key in
                                ("chars", "charStartTimesMs", "charDurationsMs"))
        assert len(chars) == len(starts) == len(spans)
        assert all(isinstance(n, int) and n >= 0 for n in starts + spans)
        assert starts == sorted(starts)
        found += [(c, clock + s / 1000, clock + (s + d) / 1000)
                  for c, s, d in zip(chars, starts, spans)]
        clock += (starts[-1] + spans[-1]) / 1000
    return found, clock


def heard_after(ws, seconds=0.4):
    """Messages until nothing comes for a while."""
    found = []
    try:
        while True:
            found.append(receive(ws, seconds))
    except TimeoutError:
        return found
