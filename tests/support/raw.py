"""HTTP by hand: for bytes that no client would send."""

import dataclasses
import socket

from . import contract


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict
    body: bytes
    raw: bytes

    def check(self, method, path):
        contract.check(method, path, self.status, self.headers, self.body)


def connect(port, timeout=15):
    connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_all(connection):
    """Everything until the server closes, or resets."""
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except ConnectionResetError:
        pass
    return data


def dechunk(data):
    """(body, complete) of a chunked body."""
    body = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        if not line:
            return body, False
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return body, data == b"\r\n"
        if len(data) < size + 2:
            return body + data[:size], False
        body, data = body + data[:size], data[size + 2:]


def parse(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/") else 0
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body, _ = dechunk(body)
    return Reply(status, headers, body, raw)


def exchange(port, data, half_close=False):
    """Sends the bytes and reads until the server closes."""
    with connect(port) as connection:
        connection.sendall(data.encode() if isinstance(data, str) else data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return parse(read_all(connection))
