"""A vendor's server that behaves as a test wants it to: Cartesia's routes, and all kinds of faults."""

import base64
import contextlib
import http.server
import json
import socket
import struct
import threading

RATE = 24_000


def tone(seconds):
    """s16le samples that are not silent."""
    count = int(RATE * seconds)
    return b"".join(struct.pack("<h", 6000 if i // 40 % 2 else -6000) for i in range(count))


class Vendor:
    """Serves on a port of the system's choice until close(). `answer(handler, path, body)` writes the
    reply; `asked` has (path, headers, body) of every request, `left` counts clients that went away."""

    def __init__(self, answer):
        vendor = self
        self.asked = []
        self.left = 0
        self.connections = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                vendor.connections.append(self.connection)

            def log_message(self, *_):
                pass

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                vendor.asked.append((self.path, dict(self.headers), body))
                try:
                    answer(self, self.path, body)
                except OSError:
                    vendor.left += 1
                    self.close_connection = True

            do_GET = do_POST = serve

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def reply(handler, status, body=b"", headers=(), media="application/json"):
    """A whole answer."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", media)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def begin(handler, media="application/octet-stream"):
    """The head of a chunked answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", media)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def chunk(handler, data):
    """One chunk; an empty one ends the answer."""
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()


def cut(handler):
    """Ends the connection in the middle of the answer."""
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


CARTESIA_VOICES = {"data": [{"id": "sonic-anna", "name": "Anna", "language": "en",
                             "gender": "feminine"},
                            {"id": "not an id", "name": "Odd"}], "has_more": False}


def cartesia(with_times=True):
    """Plays /voices, /tts/sse and /tts/bytes: a tenth of a second for each word."""

    def event(kind, **members):
        data = json.dumps({"type": kind, "context_id": "c", "status_code": 206, **members})
        return f"event: {kind}\ndata: {data}\n\n".encode()

    def answer(handler, path, body):
        if path.startswith("/voices"):
            return reply(handler, 200, CARTESIA_VOICES)
        words = body["transcript"].split()
        audio = tone(0.1 * len(words))
        if path == "/tts/bytes":
            return reply(handler, 200, audio, media="application/octet-stream")
        if path != "/tts/sse" or not with_times:
            return reply(handler, 404, {"error": "no such route"})
        begin(handler, "text/event-stream")
        # In odd pieces: samples and messages part anywhere.
        step = 3333
        stream = b"".join(event("chunk", done=False, data=base64.b64encode(audio[i:i + step]).decode())
                          for i in range(0, len(audio), step))
        times = {"words": words, "start": [0.1 * i for i in range(len(words))],
                 "end": [0.1 * i + 0.09 for i in range(len(words))]}
        stream += event("timestamps", done=False, word_timestamps=times)
        stream += event("done", done=True)
        for i in range(0, len(stream), 1021):
            chunk(handler, stream[i:i + 1021])
        return chunk(handler, b"")

    return answer
