"""elevenlabs-python's convert_realtime, unmodified. It insists on wss."""

import subprocess

import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.types import VoiceSettings

from support.audio import align, decode
from support.server import Server


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    running = Server(settings={"HTTP_TLS_CERTIFICATE": certificate, "HTTP_TLS_KEY": key})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        yield ElevenLabs(api_key="anything", base_url=running.url)
    assert running.stop() == 0
    running.close()


def words():
    yield from "The quick brown fox jumps over the lazy dog . Then it sleeps for a while .".split()


def test_as_in_its_documentation(client):
    audio = b"".join(client.text_to_speech.convert_realtime("slt", text=words()))
    heard = align(decode(audio, "mp3"), "the quick brown fox jumps over the lazy dog".split())
    assert heard and [word for word, *_ in heard if not word.startswith("<")][:4] == [
        "the", "quick", "brown", "fox"]


def test_with_everything(client):
    audio = b"".join(client.text_to_speech.convert_realtime(
        "slt", text=iter(["Hello, ", "how are ", "you? "]), model_id="eleven_flash_v2_5",
        output_format="pcm_16000",
        voice_settings=VoiceSettings(stability=0.3, similarity_boost=0.9, style=0.2, speed=1.1,
                                     use_speaker_boost=False)))
    assert decode(audio, "pcm", rate=16000).seconds > 0.6


def test_errors_are_its_own(client):
    with pytest.raises(ApiError) as error:
        list(client.text_to_speech.convert_realtime("nobody", text=iter(["Hello, ", "you. "])))
    assert error.value.status_code == 1008
    # The message, or the close frame's reason where the client was writing when it came.
    body = error.value.body
    assert "no voice with this id" in (body if isinstance(body, str) else body["message"])
