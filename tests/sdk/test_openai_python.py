"""openai-python, unmodified, against the real server."""

import openai
import pytest

from support.audio import align, decode

TEXT = "The official client speaks to this server."
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]


@pytest.fixture(scope="module")
def client(server):
    with openai.OpenAI(base_url=server.url + "/v1", api_key="sk-anything") as made:
        yield made


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_six_formats(client, name):
    reply = client.audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format=name)
    heard = decode(reply.read(), name)
    words = align(heard, WORDS)
    assert words and words[0][0] == "the" and words[-1][0] == "server"


def test_streaming_to_a_file(client, tmp_path):
    target = tmp_path / "speech.mp3"
    with client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="alloy", input=" ".join([TEXT] * 8),
            instructions="Cheerful.") as reply:
        reply.stream_to_file(target)
    assert decode(target.read_bytes(), "mp3").seconds > 10


def test_request_ids(client):
    raw = client.audio.speech.with_raw_response.create(
        model="tts-1", voice="alloy", input="Hi.", extra_headers={"X-Request-Id": "from-python"})
    assert raw.request_id == "from-python"


@pytest.mark.parametrize("body, param", [
    ({"input": ""}, "input"), ({"input": "a" * 4097}, "input"), ({"voice": "nobody"}, "voice"),
    ({"speed": 9}, "speed"), ({"response_format": "midi"}, "response_format")])
def test_typed_400(client, body, param):
    arguments = {"model": "tts-1", "voice": "alloy", "input": "Hi.", **body}
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.speech.create(**arguments)
    assert caught.value.param == param
    assert caught.value.request_id


def test_typed_401(server):
    stranger = openai.OpenAI(base_url=server.url + "/v1", api_key="vf_live_unknown")
    with pytest.raises(openai.AuthenticationError) as caught:
        stranger.audio.speech.create(model="tts-1", voice="alloy", input="Hi.")
    assert caught.value.code == "invalid_api_key"


def test_models_and_typed_404(client):
    assert "tts-1" in [model.id for model in client.models.list()]
    assert client.models.retrieve("tts-1").owned_by == "voiceflow"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-9")
    assert caught.value.code == "model_not_found"
