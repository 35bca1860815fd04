"""Cartesia's routes; its socket stands in test_cartesia_socket.py, its clients in tests/sdk."""

import json
import uuid

import httpx
import pytest

from support import operations
from support.admin import admin, team_with_key
from support.audio import align, decode
from support.cartesia import RAW16, audio_of, generation, timed
from support.raw import exchange
from support.server import Server, wait_until

TEXT = "Speech as these clients ask for it."
WORDS = ["speech", "as", "these", "clients", "ask", "for", "it"]
SPEECH = ["/tts/bytes", "/tts/sse"]
RATES = [8000, 16000, 22050, 24000, 44100, 48000]
NAMES = {"pcm_s16le": "pcm", "pcm_f32le": "f32", "pcm_mulaw": "ulaw", "pcm_alaw": "alaw"}


def refused(response, status, code, path=None):
    assert response.status_code == status, response.text
    body = response.json()
    assert body["error_code"] == code and body["title"] and body["message"], body
    assert body["request_id"] == response.headers["x-request-id"]
    if path:
        assert path in body["message"]
    return body


def events(response):
    """The data of the events; their names are the types."""
    assert response.headers["content-type"] == "text/event-stream"
    found = []
    for block in response.text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == "event: " + found[-1]["type"]
    return found


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("encoding", NAMES)
@pytest.mark.parametrize("container", ["raw", "wav"])
def test_every_sample_format(http, container, encoding, rate):
    form = {"container": container, "encoding": encoding, "sample_rate": rate}
    response = http.post("/tts/bytes", json=generation(TEXT, output_format=form))
    assert response.status_code == 200, response.text
    assert response.headers["x-voiceflow-sample-rate"] == str(rate)
    assert response.headers["cartesia-request-id"] == response.headers["x-request-id"]
    sound = decode(response.content, "wav" if container == "wav" else NAMES[encoding], rate)
    assert 1.5 < sound.seconds < 4 and sound.loud().any()
    # Not only of the right length: the words are in it.
    if rate == 16000:
        assert [word for word, *_ in align(sound, WORDS) if not word.startswith("<")] == WORDS


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("bits", [32000, 64000, 96000, 128000, 192000])
def test_every_mp3(http, rate, bits):
    form = {"container": "mp3", "sample_rate": rate, "bit_rate": bits}
    response = http.post("/tts/bytes", json=generation(TEXT, output_format=form))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "audio/mpeg"
    sound = decode(response.content, "mp3", rate)
    assert 1.5 < sound.seconds < 4
    # MPEG-2.5 ends at 64 kbit/s, MPEG-2 at 160.
    most = 64000 if rate < 16000 else 160000 if rate < 32000 else 320000
    assert 0.5 < len(response.content) * 8 / sound.seconds / min(bits, most) < 1.6


def test_a_long_text_streams(http):
    with http.stream("POST", "/tts/bytes", json=generation(TEXT * 40)) as response:
        assert response.status_code == 200 and "content-length" not in response.headers
        data = response.read()
    assert decode(data, "pcm", 16000).seconds > 40


def test_events_with_times(http):
    text = "The quick, brown fox has 12 apples."
    response = http.post("/tts/sse", json=generation(
        text, add_timestamps=True, add_phoneme_timestamps=True, context_id="mine"))
    assert response.status_code == 200, response.text
    found = events(response)
    assert found[-1] == {"type": "done", "done": True, "status_code": 200, "context_id": "mine"}
    assert all(not e["done"] and e["status_code"] == 206 and e["context_id"] == "mine"
               for e in found[:-1])
    assert all(e["step_time"] >= 0 for e in found if e["type"] == "chunk")
    sound = decode(audio_of(found), "pcm", 16000)
    words = timed(found)
    assert [word for word, *_ in words] == text.split()
    phonemes = timed(found, "phoneme_timestamps", "phonemes")
    for times in (words, phonemes):
        assert all(start <= end <= sound.seconds + 0.01 for _, start, end in times)
        assert [start for _, start, _ in times] == sorted(start for _, start, _ in times)
    heard = align(sound, "the quick brown fox has twelve apples".split())
    told = [start for _, start, _ in words]
    starts = [start for word, start, _ in heard if not word.startswith("<")]
    assert max(abs(a - b) for a, b in zip(starts, told)) < 0.1
    spoken = events(http.post("/tts/sse", json=generation(
        text, add_timestamps=True, use_normalized_timestamps=True)))
    assert "twelve" in [word for word, *_ in timed(spoken)]
    assert "context_id" not in spoken[0]


def test_without_times_there_are_none(http):
    found = events(http.post("/tts/sse", json=generation(TEXT)))
    assert {e["type"] for e in found} == {"chunk", "done"}


def seconds_and_level(http, **more):
    response = http.post("/tts/bytes", json=generation(TEXT, **more))
    assert response.status_code == 200, response.text
    samples = decode(response.content, "pcm", 16000).samples
    return len(samples) / 16000, float((samples ** 2).mean() ** 0.5)


def test_speed_and_volume_act(http):
    plain, level = seconds_and_level(http)
    assert seconds_and_level(http, speed="slow")[0] > plain * 1.1
    assert seconds_and_level(http, speed="fast")[0] < plain * 0.9
    for factor in (0.6, 1.5):
        changed, _ = seconds_and_level(http, generation_config={"speed": factor}, speed="fast")
        assert changed == pytest.approx(plain / factor, rel=0.1)
    _, quiet = seconds_and_level(http, generation_config={"volume": 0.5})
    assert quiet / level == pytest.approx(0.5, rel=0.1)


def test_what_is_not_acted_on_is_said(http):
    response = http.post("/tts/bytes", json=generation(
        TEXT, generation_config={"emotion": "happy"}, save=True, language="ja"))
    warning = response.headers["x-voiceflow-warning"]
    assert "emotion" in warning and "save" in warning and "does not speak ja" in warning
    quiet = http.post("/tts/bytes", json=generation(
        TEXT, generation_config={"emotion": "neutral"}, save=False, language="en"))
    assert "x-voiceflow-warning" not in quiet.headers


def test_normalisation_and_dictionaries(http):
    def words(**more):
        return [w for w, *_ in timed(events(http.post("/tts/sse", json=generation(
            "It cost $5.50, says VoiceFlow.", add_timestamps=True, use_normalized_timestamps=True,
            **more))))]
    assert "dollars" in " ".join(words())
    assert words(normalization="off") != words(normalization="auto") == words()
    made = http.post("/v1/pronunciation-dictionaries/add-from-rules", json={
        "name": "Cartesia " + uuid.uuid4().hex, "rules": [
            {"type": "alias", "string_to_replace": "VoiceFlow", "alias": "seven engines"}]})
    assert "engines" in " ".join(words(pronunciation_dict_id=made.json()["id"]))
    assert "dollars" in " ".join(words(normalization="en-GB", locale="en-US"))


@pytest.mark.parametrize("voice", ["slt", {"id": "slt"}, {"mode": "id", "id": "slt"}])
def test_a_voice_in_every_form(http, voice):
    response = http.post("/tts/bytes", json=generation("Hi.", voice=voice))
    assert response.headers["x-voiceflow-voice"] == "slt"


@pytest.mark.parametrize("head, query", [({"Cartesia-Version": "2026-08-14"}, {}),
                                         ({}, {"cartesia_version": "2024-06-10"})])
def test_versions(http, head, query):
    assert http.post("/tts/bytes", json=generation("Hi."), headers=head, params=query
                     ).status_code == 200
    assert http.get("/voices", headers=head, params=query).status_code == 200


@pytest.mark.parametrize("method, path", [("POST", "/tts/bytes"), ("POST", "/tts/sse"),
                                          ("GET", "/voices"), ("GET", "/voices/slt")])
def test_a_wrong_version(http, method, path):
    response = http.request(method, path, headers={"Cartesia-Version": "newest"},
                            json=generation("Hi.") if method == "POST" else None)
    refused(response, 400, "invalid_version", "Cartesia-Version")


WRONG = [
    ({"transcript": ""}, 400, "text_empty", "transcript"),
    ({"transcript": " … "}, 400, "text_not_speakable", None),
    ({"transcript": "a" * 20_001}, 400, "text_too_long", None),
    ({"transcript": None}, 400, "invalid_request", "transcript"),
    ({"transcript": ["a"]}, 400, "invalid_request", "transcript"),
    ({"model_id": None}, 400, "invalid_request", "model_id"),
    ({"voice": None}, 400, "invalid_request", "voice"),
    ({"voice": {"mode": "embedding", "embedding": [0.5]}}, 400, "invalid_request", "voice"),
    ({"voice": "nobody"}, 404, "voice_not_found", "nobody"),
    ({"output_format": None}, 400, "invalid_request", "output_format"),
    ({"output_format": {**RAW16, "container": "ogg"}}, 400, "invalid_request", "container"),
    ({"output_format": {**RAW16, "encoding": "pcm_u8"}}, 400, "invalid_request", "encoding"),
    ({"output_format": {"container": "raw", "sample_rate": 8000}}, 400, "invalid_request",
     "encoding"),
    ({"output_format": {**RAW16, "sample_rate": 11025}}, 400, "invalid_request", "sample_rate"),
    ({"language": "en", "locale": "en-GB"}, 400, "invalid_request", "locale"),
    ({"language": "not a language"}, 400, "invalid_language", None),
    ({"generation_config": {"speed": 0.5}}, 400, "invalid_request", "speed"),
    ({"generation_config": {"speed": 1.6}}, 400, "invalid_request", "speed"),
    ({"generation_config": {"volume": 2.1}}, 400, "invalid_request", "volume"),
    ({"generation_config": {"emotion": 7}}, 400, "invalid_request", "emotion"),
    ({"speed": "quick"}, 400, "invalid_request", "speed"),
    ({"normalization": "sometimes!"}, 400, "invalid_request", "normalization"),
    ({"pronunciation_dict_id": "mine"}, 404, "pronunciation_dict_not_found", None),
    ({"pronunciation_dict_id": "dict_" + "0" * 32}, 404, "pronunciation_dict_not_found", None),
    ({"context_id": "x" * 300}, 400, "invalid_request", "context_id"),
]


@pytest.mark.parametrize("path", SPEECH)
@pytest.mark.parametrize("change, status, code, where", WRONG)
def test_wrong_bodies(http, path, change, status, code, where):
    refused(http.post(path, json={**generation(TEXT), **change}), status, code, where)


def test_events_are_raw_and_mp3_has_its_bit_rates(http):
    mp3 = {"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}
    for form in (mp3, {**RAW16, "container": "wav"}):
        refused(http.post("/tts/sse", json=generation(TEXT, output_format=form)), 400,
                "invalid_request", "container")
    refused(http.post("/tts/bytes", json=generation(
        TEXT, output_format={**mp3, "bit_rate": 100000})), 400, "invalid_request", "bit_rate")


@pytest.mark.parametrize("path", SPEECH)
@pytest.mark.parametrize("body", [b"", b"{", b"\x00\xff\xfe", b"[]", b'"text"',
                                  b'{"transcript":' + b"[" * 100 + b"]" * 100 + b"}"])
def test_garbage(http, path, body):
    response = http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400 and response.json()["error_code"]


def test_voices_by_pages(http):
    everything = [v["id"] for v in http.get("/voices", params={"limit": 100}).json()["data"]]
    assert len(everything) == len(set(everything)) and "slt" in everything
    found, query = [], {"limit": 30}
    while True:
        page = http.get("/voices", params=query).json()
        found += [voice["id"] for voice in page["data"]]
        if not page["has_more"] or len(found) >= 100:
            break
        assert page["next_page"] == found[-1]
        query["starting_after"] = found[-1]
    assert found[:100] == everything[:len(found)]
    back = http.get("/voices", params={"limit": 2, "ending_before": found[5]}).json()
    assert [v["id"] for v in back["data"]] == found[3:5] and back["has_more"]
    first = http.get("/voices", params={"limit": 50, "ending_before": found[2]}).json()
    assert [v["id"] for v in first["data"]] == found[:2] and not first["has_more"]
    assert len(http.get("/voices").json()["data"]) == 10


def test_voices_by_what_they_are(http):
    assert [v["id"] for v in http.get("/voices", params={"q": "SLT"}).json()["data"]][0] == "slt"
    for gender in ("masculine", "feminine", "gender_neutral"):
        page = http.get("/voices", params={"gender": gender, "limit": 100}).json()
        assert {v["gender"] for v in page["data"]} <= {gender}
    mine = http.get("/voices", params={"is_owner": "true"}).json()
    assert mine == {"data": [], "has_more": False, "next_page": None}
    assert http.get("/voices", params={"is_owner": "false", "q": ""}).json()["data"]


def test_one_voice(http):
    voice = http.get("/voices/slt", params={"expand[]": "preview_file_url"}).json()
    assert (voice["id"], voice["language"], voice["gender"]) == ("slt", "en", "feminine")
    assert voice["locales"][0] == {"locale": "en-US", "is_native": True}
    assert http.get(voice["preview_file_url"]).status_code == 200
    assert "preview_file_url" not in http.get("/voices/slt").json()
    refused(http.get("/voices/nobody"), 404, "voice_not_found", "nobody")


@pytest.mark.parametrize("query", [
    {"limit": 0}, {"limit": 101}, {"limit": "ten"}, {"starting_after": "nobody"},
    {"ending_before": "nobody"}, {"starting_after": "slt", "ending_before": "slt"},
    {"gender": "female"}, {"is_owner": "perhaps"}, {"expand[]": "everything"}])
def test_wrong_parameters(http, query):
    refused(http.get("/voices", params=query), 400, "invalid_request", list(query)[-1])


def test_voices_cannot_be_cloned_yet(http):
    response = http.post("/voices/clone", data={"name": "Me", "language": "en"},
                         files={"clip": ("me.wav", b"RIFF")})
    refused(response, 403, "feature_not_available")


def test_below_the_prefix(http):
    assert http.post("/cartesia/tts/bytes", json=generation("Hi.")).status_code == 200
    assert http.get("/cartesia/voices/slt").json()["id"] == "slt"
    refused(http.get("/cartesia/voices/nobody"), 404, "voice_not_found")
    refused(http.get("/cartesia/tts/nothing"), 404, "not_found")


def test_404_and_405(server, http):
    refused(http.post("/tts/nothing"), 404, "not_found")
    refused(http.get("/tts/bytes"), 405, "method_not_allowed")
    refused(http.delete("/voices/slt"), 405, "method_not_allowed")
    reply = exchange(server.port, "GET /tts/websocket HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n")
    assert reply.status == 426 and json.loads(reply.body)["error_code"] == "upgrade_required"


@pytest.mark.parametrize("path", SPEECH)
def test_a_client_that_goes_away_frees_the_worker(fake_server, path):
    body = generation("Twenty letters here. " * 60, voice="fake-slow")
    with httpx.stream("POST", fake_server.url + path, json=body) as response:
        assert next(response.iter_raw())

    def idle():
        engines = httpx.get(fake_server.url + "/api/server").json()["engines"]
        return all(engine["busy"] == 0 for engine in engines)
    wait_until(idle, 2, "idle workers")


@pytest.mark.parametrize("method, path", operations.of_tag("cartesia", 415))
def test_411_413_415(server, http, method, path):
    refused(http.request(method, path, content=b"x", headers={"Content-Type": "image/png"}), 415,
            "unsupported_media_type")
    head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: {operations.media_type(method, path)}\r\n")
    for more, status in (("", 411), ("Content-Length: 99000000\r\n", 413)):
        reply = exchange(server.port, head + more + "\r\n")
        assert reply.status == status
        reply.check(method, path)


PLANS = """
[[plan]]
id = "tiny"
name = "Tiny"
tier = "free"
currency = "USD"
price_minor = 0
requests = 2
quality = "standard"

[[plan]]
id = "alone"
name = "Alone"
tier = "free"
currency = "USD"
price_minor = 0
concurrency = 1
quality = "standard"
"""


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    server = Server(settings={"ENGINES_ENABLE": "fake,flite"})
    plans = tmp_path_factory.mktemp("plans") / "plans.toml"
    plans.write_text(PLANS)
    admin(server, "load-plans", plans)
    team_with_key(server)  # ends the demo mode
    yield server
    server.close()


@pytest.mark.parametrize("method, path", operations.of_tag("cartesia", 401))
def test_401_and_403(keyed, method, path):
    head = {"Content-Type": operations.media_type(method, path) or "application/json"}
    refused(httpx.request(method, keyed.url + path, headers=head), 401, "missing_api_key")
    for credential in ({"X-API-Key": "vf_live_x"}, {"Authorization": "Bearer vf_live_x"}):
        wrong = httpx.request(method, keyed.url + path, headers={**head, **credential})
        refused(wrong, 401, "invalid_api_key")
    team = admin(keyed, "create-team", "Without rights", "--plan", "pro")["id"]
    key = admin(keyed, "create-key", team, "--scope", "keys:read")["key"]
    forbidden = httpx.request(method, keyed.url + path, headers={**head, "X-API-Key": key})
    refused(forbidden, 403, "missing_scope")


@pytest.mark.parametrize("path", SPEECH)
def test_a_key_in_every_header_and_the_allowance_of_its_plan(keyed, path):
    _, key = team_with_key(keyed, "Tiny " + path[-5:], "tiny")
    for head in ({"X-API-Key": key}, {"Authorization": "Bearer " + key}):
        response = httpx.post(keyed.url + path, json=generation("Hi."), headers=head, timeout=60)
        assert response.status_code == 200, response.text
    refused(httpx.post(keyed.url + path, json=generation("Hi."), headers=head), 402,
            "quota_exceeded")


@pytest.mark.parametrize("path", SPEECH)
def test_more_at_once_than_the_plan_allows_is_429(keyed, path):
    _, key = team_with_key(keyed, "Alone " + path[-5:], "alone")
    head = {"X-API-Key": key}
    body = generation(TEXT * 200, output_format={**RAW16, "sample_rate": 48000})
    with httpx.stream("POST", keyed.url + "/tts/bytes", headers=head, json=body, timeout=60) as held:
        assert held.status_code == 200
        response = httpx.post(keyed.url + path, json=generation("Hi."), headers=head)
        refused(response, 429, "concurrency_limited")
        assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", SPEECH)
def test_a_retry_with_the_same_key_is_one_speech(http, path):
    head = {"Idempotency-Key": str(uuid.uuid4())}
    first = http.post(path, json=generation(TEXT), headers=head)
    again = http.post(path, json=generation(TEXT), headers=head)
    assert first.status_code == 200 and again.content == first.content
    refused(http.post(path, json=generation("Something else."), headers=head), 409,
            "idempotency_key_reused")


def test_anothers_dictionary_is_not_found(keyed):
    _, one = team_with_key(keyed, "One", "pro")
    _, other = team_with_key(keyed, "Other", "pro")
    made = httpx.post(keyed.url + "/v1/pronunciation-dictionaries/add-from-rules", json={
        "name": "Mine", "rules": [{"type": "alias", "string_to_replace": "a", "alias": "b"}]},
        headers={"X-API-Key": one}).json()["id"]
    body = generation("Hi.", pronunciation_dict_id=made)
    assert httpx.post(keyed.url + "/tts/bytes", json=body, headers={"X-API-Key": one}
                      ).status_code == 200
    refused(httpx.post(keyed.url + "/tts/bytes", json=body, headers={"X-API-Key": other}), 404,
            "pronunciation_dict_not_found")


def test_what_the_engine_refuses_is_told(keyed):
    _, key = team_with_key(keyed, "Unlucky", "pro")
    for path in SPEECH:
        refused(httpx.post(keyed.url + path, headers={"X-API-Key": key}, timeout=60,
                           json=generation("Never spoken.", voice="fake-refuse")), 400,
                "text_refused")


def test_a_failure_in_the_middle_is_the_last_event(keyed):
    _, key = team_with_key(keyed, "Unluckier", "pro")
    said = ""
    with pytest.raises(httpx.RemoteProtocolError):
        with httpx.stream("POST", keyed.url + "/tts/sse", headers={"X-API-Key": key}, timeout=60,
                          json=generation("Spoken in part.", voice="fake-crash")) as response:
            for text in response.iter_text():
                said += text
    *_, last = said.strip().split("\n\n")
    assert last.startswith("event: error\ndata: ")
    error = json.loads(last.split("data: ")[1])
    assert error["status_code"] >= 500 and error["done"] is True and error["message"]
