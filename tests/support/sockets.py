"""WebSockets: by the `websockets` client, and by hand for frames that no client would send."""

import base64
import contextlib
import json
import os
import struct

import websockets
from websockets.sync.client import connect as _connect

from . import raw

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def ws_url(server, path):
    return server.url.replace("http", "ws", 1) + path


def connect(server, path, **options):
    options.setdefault("max_size", None)
    options.setdefault("compression", None)
    return _connect(ws_url(server, path), **options)


def send(ws, **message):
    ws.send(json.dumps(message))


def receive(ws, seconds=30):
    """The next message: a dict, or bytes."""
    message = ws.recv(seconds)
    return message if isinstance(message, bytes) else json.loads(message)


def until_closed(ws, seconds=30):
    """(messages, close code)."""
    messages = []
    while True:
        try:
            messages.append(receive(ws, seconds))
        except websockets.ConnectionClosed as end:
            return messages, end.rcvd.code if end.rcvd else None


def refused(server, path, **options):
    """The HTTP response with which a handshake was refused."""
    try:
        with connect(server, path, **options):
            raise AssertionError("it was opened")
    except websockets.InvalidStatus as error:
        return error.response


def frame(opcode, payload=b"", final=True, masked=True, reserved=0, length=None):
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += bytes([mask_bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))


class RawSocket(contextlib.AbstractContextManager):
    """An upgraded connection of which every byte is ours."""

    def __init__(self, server, path):
        self.connection = raw.connect(server.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def __exit__(self, *_):
        self.connection.close()

    def _more(self):
        chunk = self.connection.recv(65536)
        if not chunk:
            raise ConnectionError("closed")
        self.data += chunk

    def send(self, data):
        """False when the server has closed already."""
        try:
            self.connection.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def next(self):
        """(opcode, payload) of the next frame."""
        def have(size):
            while len(self.data) < size:
                self._more()
        have(2)
        size, at = self.data[1], 2
        if size >= 126:
            at += 2 if size == 126 else 8
            have(at)
            size = int.from_bytes(self.data[2:at], "big")
        have(at + size)
        opcode, payload = self.data[0] & 15, self.data[at:at + size]
        self.data = self.data[at + size:]
        return opcode, payload

    def close_code(self):
        """Reads on until the server closes; its code, and what it said before as text."""
        said = []
        while True:
            opcode, payload = self.next()
            if opcode == TEXT:
                said.append(json.loads(payload))
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big"), said
