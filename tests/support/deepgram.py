"""Deepgram's sockets as their clients use them."""

from .sockets import receive, send

SPEAK = "/v1/speak?model=slt&encoding=linear16&sample_rate=16000"
TURNS = "/v2/speak?model=slt&encoding=linear16&sample_rate=16000"


def say(ws, *texts, flush=True):
    for text in texts:
        send(ws, type="Speak", text=text)
    if flush:
        send(ws, type="Flush")


def until(ws, kind, count=1, seconds=30):
    """(audio, messages) up to the `count`th message of a type."""
    audio, messages = b"", []
    while sum(m["type"] == kind for m in messages) < count:
        message = receive(ws, seconds)
        if isinstance(message, bytes):
            audio += message
        else:
            messages.append(message)
    return audio, messages


def parted(messages):
    """(audio, the rest) of a list of messages."""
    return (b"".join(m for m in messages if isinstance(m, bytes)),
            [m for m in messages if not isinstance(m, bytes)])
