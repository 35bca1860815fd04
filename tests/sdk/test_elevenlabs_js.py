"""elevenlabs-js, unmodified, against the real server."""

import base64
import json
import pathlib
import subprocess
import sys

import pytest

from support.audio import align, decode
from support.server import Server

HERE = pathlib.Path(__file__).parent
TEXT = "The official client speaks to this server."
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]


@pytest.fixture(scope="module")
def report():
    server = Server()
    try:
        node = pathlib.Path(sys.executable).with_name("node")
        done = subprocess.run([node, "elevenlabs_js.mjs", server.url], cwd=HERE,
                              capture_output=True, text=True, timeout=150)
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_speech(report):
    words = align(decode(base64.b64decode(report["convert"]["audio"]), "mp3"), WORDS)
    assert words and words[0][0] == "the" and words[-1][0] == "server"
    assert report["stream"]["chunks"] > 3
    assert decode(base64.b64decode(report["stream"]["audio"]), "pcm", 24000).seconds > 10
    assert decode(base64.b64decode(report["dialogue"]["audio"]), "mp3").seconds > 0.5


def test_timestamps(report):
    assert report["timed"]["characters"] == report["timedStream"]["characters"] == TEXT
    assert report["timed"]["starts"] == sorted(report["timed"]["starts"])
    seconds = decode(base64.b64decode(report["timed"]["audio"]), "mp3").seconds
    streamed = decode(bytes.fromhex(report["timedStream"]["audio"]), "mp3").seconds
    assert abs(seconds - streamed) < 0.15


def test_voices_and_models(report):
    assert "slt" in report["voices"] and report["voice"] == "slt"
    assert report["search"] == {"count": 2, "hasMore": True, "total": len(report["voices"])}
    assert report["settings"]["stability"] == 0.5
    assert "eleven_multilingual_v2" in report["models"] and "tts-1" in report["openaiModels"]


def test_history(report):
    assert len(report["history"]) >= 5
    assert report["history"][0]["historyItemId"].startswith("hist_")
    assert report["historyItem"] and report["historyAudio"] > 1000
    assert report["historyDeleted"] == "ok"


def test_dictionaries(report):
    seen = dict(report["dictionary"])
    assert seen.pop("spoken") > 1000
    assert seen == {"rules": 1, "fromFile": 1, "listed": 2, "got": ["VF"], "set": 2}


def test_account(report):
    assert report["user"] == "demo"
    assert report["subscription"] > 0 and report["stats"] > 0


@pytest.mark.parametrize("attempt, status, code", [
    ("voice", 404, "voice_not_found"), ("text", 400, "empty_text"),
    ("body", 422, ["body", "seed"]), ("item", 404, "history_item_not_found"),
    ("clone", 403, "feature_not_available"), ("key", 401, "invalid_api_key")])
def test_errors(report, attempt, status, code):
    error = report["errors"][attempt]
    assert (error["status"], error["code"]) == (status, code), error
