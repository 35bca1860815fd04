"""@deepgram/sdk (JavaScript), unmodified, against the real server."""

import base64
import json
import pathlib
import subprocess
import sys

import pytest

from support.audio import align, decode
from support.server import Server

HERE = pathlib.Path(__file__).parent
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]


@pytest.fixture(scope="module")
def report():
    server = Server()
    try:
        node = pathlib.Path(sys.executable).with_name("node")
        done = subprocess.run([node, "deepgram_js.mjs", server.url], cwd=HERE,
                              capture_output=True, text=True, timeout=150)
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["mp3", "wav"])
def test_speech(report, name):
    heard = align(decode(base64.b64decode(report[name]), name), WORDS)
    assert [word for word, *_ in heard if not word.startswith("<")] == WORDS


def test_the_socket_of_text_and_audio(report):
    assert report["socket"]["kinds"] == ["Metadata", "Flushed", "Cleared"]
    assert 1.5 < report["socket"]["bytes"] / 32000 < 4


def test_the_socket_of_turns(report):
    assert report["turns"]["kinds"] == [
        "Connected", *["SpeechStarted", "SpeechMetadata", "Flushed"] * 2, "SessionMetadata"]
    assert 3 < report["turns"]["bytes"] / 32000 < 8


@pytest.mark.parametrize("attempt, status, code", [
    ("model", 400, "MODEL_NOT_FOUND"), ("key", 401, "INVALID_AUTH")])
def test_errors(report, attempt, status, code):
    assert report["errors"][attempt] == {"status": status, "code": code}
