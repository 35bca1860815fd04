"""openai-node, unmodified, against the real server."""

import base64
import json
import pathlib
import subprocess
import sys

import pytest

from support.audio import align, decode

HERE = pathlib.Path(__file__).parent
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]


@pytest.fixture(scope="module")
def report(server):
    node = pathlib.Path(sys.executable).with_name("node")
    done = subprocess.run([node, "openai_node.mjs", server.url], cwd=HERE, capture_output=True,
                          text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_six_formats(report, name):
    reply = report["formats"][name]
    assert reply["type"].startswith("audio/")
    words = align(decode(base64.b64decode(reply["audio"]), name), WORDS)
    assert words and words[0][0] == "the" and words[-1][0] == "server"


def test_streaming(report):
    assert report["streamed"]["chunks"] > 3 and report["streamed"]["bytes"] > 50_000


def test_request_ids(report):
    assert report["requestId"] == "from-node"


@pytest.mark.parametrize("attempt, name, status, code, param", [
    ("empty", "BadRequestError", 400, "text_empty", "input"),
    ("speed", "BadRequestError", 400, "invalid_request", "speed"),
    ("voice", "BadRequestError", 400, "voice_not_found", "voice"),
    ("model", "NotFoundError", 404, "model_not_found", "model"),
    ("key", "AuthenticationError", 401, "invalid_api_key", None)])
def test_typed_errors(report, attempt, name, status, code, param):
    assert report["errors"][attempt] == {"name": name, "status": status, "code": code, "param": param}


def test_models(report):
    assert "tts-1" in report["models"]
