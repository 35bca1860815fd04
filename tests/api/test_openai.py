"""POST /v1/audio/speech and the lists, with plain HTTP; the official clients stand in tests/sdk."""

import base64
import json
import math

import pytest

from support.audio import decode

TEXT = "Speech as the OpenAI clients ask for it."
THIRTEEN = ["alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer",
            "verse", "marin", "cedar"]


def body(**changes):
    return {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy", **changes}


@pytest.mark.parametrize("name, media_type", [
    ("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac"), ("flac", "audio/flac"),
    ("wav", "audio/wav"), ("pcm", "audio/pcm")])
def test_formats(http, name, media_type):
    response = http.post("/v1/audio/speech", json=body(response_format=name),
                         headers={"Accept": "application/octet-stream"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == media_type
    assert decode(response.content, name, 24000).seconds > 1.5


def test_pcm_is_24_kilohertz(http):
    response = http.post("/v1/audio/speech", json=body(response_format="pcm"))
    assert response.headers["x-voiceflow-sample-rate"] == "24000"


@pytest.mark.parametrize("voice", THIRTEEN)
def test_the_thirteen_names_speak(http, voice):
    response = http.post("/v1/audio/speech", json=body(voice=voice, response_format="pcm"))
    assert response.status_code == 200
    assert response.headers["x-voiceflow-voice"] == voice


def test_a_voice_object_and_fields_of_other_servers(http):
    response = http.post("/v1/audio/speech", json=body(
        voice={"id": "nova"}, model="kokoro", instructions="Cheerful.", stream=True, seed=7,
        lang_code="a", normalization_options={"x": 1}, response_format=None, speed=None))
    assert response.status_code == 200, response.text
    assert response.headers["x-voiceflow-voice"] == "nova"


def events(text):
    lines = [line for line in text.split("\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    return [json.loads(line[6:]) for line in lines]


def test_server_sent_events(http):
    response = http.post("/v1/audio/speech", json=body(stream_format="sse", response_format="mp3"))
    assert response.headers["content-type"].split(";")[0] == "text/event-stream"
    *deltas, done = events(response.text)
    assert deltas and {event["type"] for event in deltas} == {"speech.audio.delta"}
    heard = decode(b"".join(base64.b64decode(event["audio"]) for event in deltas), "mp3")
    assert done["type"] == "speech.audio.done"
    usage = done["usage"]
    assert usage["input_tokens"] == math.ceil(len(TEXT) / 4)
    assert usage["output_tokens"] == pytest.approx(heard.seconds / 0.05, abs=4)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


WRONG = [
    ({"input": ""}, "input", "text_empty"),
    ({"input": "a" * 4097}, "input", "text_too_long"),
    ({"input": 7}, "input", None),
    ({"model": ""}, "model", None),
    ({"model": None}, "model", None),
    ({"voice": "nobody"}, "voice", "voice_not_found"),
    ({"voice": {"name": "x"}}, "voice", None),
    ({"response_format": "midi"}, "response_format", None),
    ({"speed": 0.2}, "speed", None),
    ({"speed": 4.01}, "speed", None),
    ({"instructions": "x" * 4097}, "instructions", None),
    ({"stream_format": "websocket"}, "stream_format", None),
    ({"stream_format": "sse", "model": "tts-1"}, "stream_format", None),
    ({"stream_format": "sse", "model": "tts-1-hd"}, "stream_format", None),
]


@pytest.mark.parametrize("changes, param, code", WRONG)
def test_wrong_fields(http, changes, param, code):
    response = http.post("/v1/audio/speech", json=body(**changes))
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error" and error["param"] == param
    assert code is None or error["code"] == code


def test_middle_layers_answer_in_openais_shape(http, server):
    from support.raw import exchange
    answers = [
        (400, http.post("/v1/audio/speech", content=b"{", headers={"Content-Type": "application/json"})),
        (413, http.post("/v1/audio/speech", json=body(input="a" * 3_000_000))),
        (415, http.post("/v1/audio/speech", content=b"{}", headers={"Content-Type": "text/plain"})),
        (404, http.get("/v1/audio/nothing")),
        (405, http.put("/v1/models", json={})),
    ]
    for status, response in answers:
        assert response.status_code == status
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"} and error["message"]
    assert "GET" in answers[-1][1].headers["allow"]
    reply = exchange(server.port, "POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"
                     "Content-Type: application/json\r\nConnection: close\r\n\r\n")
    assert reply.status == 411
    reply.check("POST", "/v1/audio/speech")


def test_models(http):
    models = http.get("/v1/models").json()
    ids = [model["id"] for model in models["data"]]
    assert {"tts-1", "tts-1-hd", "gpt-4o-mini-tts", "flite"} <= set(ids)
    assert http.get("/v1/models/tts-1").json() in models["data"]
    missing = http.get("/v1/models/gpt-9")
    assert missing.status_code == 404 and missing.json()["error"]["code"] == "model_not_found"


def test_lists_for_front_ends(http):
    voices = http.get("/v1/audio/voices").json()["voices"]
    assert set(THIRTEEN) <= {voice["id"] for voice in voices}
    assert http.get("/v1/audio/models").json()["models"]


def test_slashes_are_forgiven(http):
    assert http.get("/v1//models").json() == http.get("/v1/models/").json()
