"""Cartesia's socket as its clients use it."""

import base64

from .sockets import receive, send

SOCKET = "/tts/websocket"
RAW16 = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000}


def generation(transcript, **more):
    return {"model_id": "sonic-3", "transcript": transcript, "voice": {"mode": "id", "id": "slt"},
            "output_format": RAW16, **more}


def say(ws, transcript, context="c", **more):
    send(ws, **generation(transcript, context_id=context, **more))


def until_done(ws, *contexts, seconds=30):
    """All messages until each of the contexts is done or has failed."""
    messages, waiting = [], set(contexts or ("c",))
    while waiting:
        messages.append(receive(ws, seconds))
        if messages[-1]["type"] in ("done", "error"):
            waiting.discard(messages[-1]["context_id"])
    return messages


def audio_of(messages, context=None):
    return b"".join(base64.b64decode(m["data"]) for m in messages if m["type"] == "chunk"
                    and context in (None, m["context_id"]))


def timed(messages, kind="timestamps", labels="words"):
    """(label, start, end) of all messages."""
    field = {"timestamps": "word_timestamps"}.get(kind, kind)
    found = []
    for message in messages:
        if message["type"] == kind:
            times = message[field]
            assert len(times[labels]) == len(times["start"]) == len(times["end"])
            found += list(zip(times[labels], times["start"], times["end"]))
    return found
