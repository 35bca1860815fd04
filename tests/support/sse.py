"""Server-sent events as a client reads them, every answer held against the contract."""

import contextlib
import dataclasses
import json

import httpx

from . import contract


@dataclasses.dataclass
class Message:
    id: str
    event: str
    data: dict


class Stream:
    def __init__(self, response):
        self.response = response
        self.lines = response.iter_lines()
        self.comments = 0

    def __iter__(self):
        fields = {}
        for line in self.lines:
            if not line:
                if "data" in fields:
                    yield Message(fields["id"], fields["event"], json.loads(fields["data"]))
                fields = {}
            elif line.startswith(":"):
                self.comments += 1
            else:
                name, _, value = line.partition(": ")
                fields[name] = value

    def take(self, count):
        """The next `count` messages."""
        found = []
        for message in self:
            found.append(message)
            if len(found) == count:
                break
        return found


@contextlib.contextmanager
def follow(url, headers=None, path="/api/events", **params):
    with httpx.stream("GET", url + path, headers=headers or {}, params=params,
                      timeout=20) as response:
        if response.status_code != 200:
            response.read()
        body = response.content if response.status_code != 200 else b""
        contract.check("GET", path, response.status_code, response.headers, body)
        yield Stream(response) if response.status_code == 200 else response
