"""cartesia-js, unmodified, against the real server. Its sockets insist on wss."""

import base64
import json
import os
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
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = Server(settings={"HTTP_TLS_CERTIFICATE": certificate, "HTTP_TLS_KEY": key})
    try:
        node = pathlib.Path(sys.executable).with_name("node")
        done = subprocess.run([node, "cartesia_js.mjs", server.url], cwd=HERE,
                              env={**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate)},
                              capture_output=True, text=True, timeout=150)
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_speech(report):
    heard = align(decode(base64.b64decode(report["mp3"]), "mp3"), WORDS)
    assert [word for word, *_ in heard if not word.startswith("<")] == WORDS


def test_events(report):
    events = report["events"]
    assert events["kinds"][-1] == "done" and events["words"] == TEXT.split()
    assert 1.5 < decode(base64.b64decode(events["audio"]), "pcm", 16000).seconds < 4


def test_contexts(report):
    for seen in report["contexts"]:
        assert {"chunk", "timestamps", "done"} <= set(seen["kinds"])
        assert seen["words"] == TEXT.split() and 1.5 < seen["bytes"] / 32000 < 4
    assert "flush_done" in report["contexts"][0]["kinds"]


def test_voices(report):
    assert "slt" in report["voices"] and len(set(report["voices"])) == len(report["voices"]) > 20
    assert report["voice"]["gender"] == "feminine"


@pytest.mark.parametrize("attempt, status, code", [
    ("voice", 404, "voice_not_found"), ("text", 400, "text_empty"), ("key", 401, "invalid_api_key")])
def test_errors(report, attempt, status, code):
    assert report["errors"][attempt] == {"status": status, "code": code}
