"""ElevenLabs' routes that speak, their voices, models and account; plain HTTP. The official clients
stand in tests/sdk."""

import base64
import json
import re
import time

import httpx
import pytest

from support import operations
from support.admin import admin, team_with_key
from support.audio import align, decode
from support.raw import exchange
from support.server import Server

TEXT = "Speech as these clients ask for it."
WORDS = ["speech", "as", "these", "clients", "ask", "for", "it"]
ONE = "/v1/text-to-speech/slt"
SPEECH = [ONE, ONE + "/stream", ONE + "/with-timestamps", ONE + "/stream/with-timestamps"]
DIALOGUE = ["/v1/text-to-dialogue", "/v1/text-to-dialogue/stream"]
FORMATS = (["mp3_22050_32", "mp3_24000_48"] + [f"mp3_44100_{n}" for n in (32, 64, 96, 128, 192)] +
           [f"{kind}_{rate}" for kind in ("pcm", "wav")
            for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)] +
           [f"opus_48000_{n}" for n in (32, 64, 96, 128, 192)] + ["ulaw_8000", "alaw_8000"])
TYPES = {"mp3": "audio/mpeg", "pcm": "audio/pcm", "wav": "audio/wav", "opus": "audio/ogg",
         "ulaw": "audio/basic", "alaw": "audio/PCMA"}


def body_for(path, text=TEXT, **more):
    if "dialogue" in path:
        return {"inputs": [{"text": text, "voice_id": "slt"}], **more}
    return {"text": text, **more}


def refused(response, status, code, param=None):
    assert response.status_code == status, response.text
    detail = response.json()["detail"]
    assert detail["code"] == detail["status"] == code, detail
    assert detail["message"] and detail["request_id"] == response.headers["x-request-id"]
    if param:
        assert detail["param"] == param
    return detail


def audio_of(response, path):
    if "with-timestamps" not in path:
        return response.content
    lines = response.text.splitlines() if "/stream/" in path else [response.text]
    return b"".join(base64.b64decode(json.loads(line)["audio_base64"]) for line in lines)


@pytest.mark.parametrize("name", FORMATS)
def test_28_formats(http, name):
    kind, rate, *bits = name.split("_")
    response = http.post(ONE, params={"output_format": name}, json={"text": TEXT})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == TYPES[kind]
    assert response.headers["x-voiceflow-sample-rate"] == rate
    assert int(response.headers["content-length"]) == len(response.content)
    sound = decode(response.content, kind, int(rate))
    assert 1.5 < sound.seconds < 4
    if bits:
        measured = len(response.content) * 8 / sound.seconds / 1000
        assert 0.5 < measured / int(bits[0]) < 1.4, measured


def test_there_are_28():
    assert len(set(FORMATS)) == 28


@pytest.mark.parametrize("path", SPEECH + DIALOGUE)
def test_headers_of_every_audio(http, path):
    response = http.post(path, json=body_for(path))
    assert response.status_code == 200, response.text
    assert response.headers["request-id"] == response.headers["x-request-id"]
    assert response.headers["character-cost"] == str(len(TEXT))
    assert int(response.headers["current-concurrent-requests"]) >= 1
    assert int(response.headers["maximum-concurrent-requests"]) >= 1
    assert response.headers["x-trace-id"] and response.headers["x-region"]
    words = align(decode(audio_of(response, path), "mp3"), WORDS)
    assert words and words[0][0] == "speech" and words[-1][0] == "it"


def characters_of(alignment):
    lengths = {len(values) for values in alignment.values()}
    assert len(lengths) == 1
    starts, ends = (alignment["character_start_times_seconds"],
                    alignment["character_end_times_seconds"])
    assert starts == sorted(starts)
    assert all(begin <= end for begin, end in zip(starts, ends))
    return "".join(alignment["characters"])


def test_every_character_has_its_time(http):
    text = "Ünïcode, “quotes” and  two spaces."
    reply = http.post(ONE + "/with-timestamps", params={"output_format": "pcm_24000"},
                      json={"text": text}).json()
    assert characters_of(reply["alignment"]) == text
    assert characters_of(reply["normalized_alignment"])
    seconds = len(base64.b64decode(reply["audio_base64"])) / 2 / 24000
    assert 0.8 * seconds < reply["alignment"]["character_end_times_seconds"][-1] <= seconds + 0.01


def test_lines_end_with_a_line_feed_and_hold_one_object(http):
    text = "The first sentence is here. " * 5
    response = http.post(ONE + "/stream/with-timestamps", json={"text": text})
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text.endswith("\n") and "\n\n" not in response.text
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert len(lines) > 3
    alignments = [line["alignment"] for line in lines if line["alignment"]]
    assert "".join(characters_of(one) for one in alignments) == text
    starts = [start for one in alignments for start in one["character_start_times_seconds"]]
    assert starts == sorted(starts)


def test_stream_and_whole_are_as_long(http):
    query = {"output_format": "pcm_24000"}
    whole = len(http.post(ONE, params=query, json={"text": TEXT}).content)
    for path in SPEECH[1:]:
        audio = audio_of(http.post(path, params=query, json={"text": TEXT}), path)
        assert abs(len(audio) - whole) < 0.03 * whole, path


def test_voices_take_turns(http):
    query = {"output_format": "pcm_24000"}
    turns = [("slt", "Where have you been all day?"), ("rms", "I was out in the garden.")]
    reply = http.post("/v1/text-to-dialogue", params=query, json={
        "inputs": [{"voice_id": voice, "text": text} for voice, text in turns]})
    assert reply.headers["character-cost"] == str(sum(len(text) for _, text in turns))
    alone = [len(http.post(f"/v1/text-to-speech/{voice}", params=query, json={"text": text}
                           ).content) for voice, text in turns]
    assert 0.9 * sum(alone) < len(reply.content) < 1.3 * sum(alone)


@pytest.mark.parametrize("setting, low, high", [
    ({"speed": 0.7}, 1.25, 1.6), ({"speed": 1.2}, 0.7, 0.95), ({}, 0.98, 1.02),
    ({"stability": None, "style": None}, 0.98, 1.02)])
def test_speed_is_obeyed(http, setting, low, high):
    query = {"output_format": "pcm_16000"}
    plain = len(http.post(ONE, params=query, json={"text": TEXT}).content)
    other = len(http.post(ONE, params=query, json={"text": TEXT, "voice_settings": setting}
                          ).content)
    assert low < other / plain < high


def test_stored_settings_hold_where_a_request_says_nothing(http):
    path = "/v1/text-to-speech/espeak-de"
    query = {"output_format": "pcm_16000"}
    plain = len(http.post(path, params=query, json={"text": TEXT}).content)
    edited = http.post("/v1/voices/espeak-de/settings/edit", json={"speed": 0.7})
    assert edited.json() == {"status": "ok"}
    try:
        assert http.get("/v1/voices/espeak-de/settings").json()["speed"] == 0.7
        assert http.get("/v1/voices/espeak-de").json()["settings"]["speed"] == 0.7
        assert len(http.post(path, params=query, json={"text": TEXT}).content) > 1.25 * plain
        said = {"text": TEXT, "voice_settings": {"speed": 1}}
        assert abs(len(http.post(path, params=query, json=said).content) - plain) < 0.03 * plain
    finally:
        http.post("/v1/voices/espeak-de/settings/edit", json={"speed": 1})


def test_what_other_clients_send_is_taken(http):
    response = http.post(ONE, params={"optimize_streaming_latency": 3, "enable_logging": "True"},
                         json={"text": TEXT, "model_id": "eleven_of_tomorrow", "seed": 4294967295,
                               "language_code": "ja", "previous_text": "Before.", "next_text": None,
                               "use_pvc_as_ivc": False, "apply_text_normalization": "off",
                               "apply_language_text_normalization": True, "audio_effects": {},
                               "previous_request_ids": [], "voice_settings": None,
                               "pronunciation_dictionary_locators": None})
    assert response.status_code == 200, response.text


WRONG = [
    ({"text": ""}, {}, 400, "empty_text"),
    ({"text": " … "}, {}, 400, "invalid_text"),
    ({"text": "a" * 10_001}, {}, 400, "text_too_long"),
    ({"text": "a" * 3_001, "model_id": "eleven_v3"}, {}, 400, "text_too_long"),
    ({"model_id": "gpt-9"}, {}, 400, "unsupported_model"),
    ({"voice_settings": {"stability": 2}}, {}, 400, "invalid_voice_settings"),
    ({"voice_settings": {"speed": 0.5}}, {}, 400, "invalid_voice_settings"),
    ({"voice_settings": "loud"}, {}, 400, "invalid_voice_settings"),
    ({"previous_request_ids": ["a", "b", "c", "d"]}, {}, 400, "invalid_parameters"),
    ({"previous_request_ids": ["a"], "model_id": "eleven_v3"}, {}, 400, "invalid_parameters"),
    ({"next_request_ids": ["\u0000"]}, {}, 400, "invalid_parameters"),
    ({"language_code": "not a language"}, {}, 400, "invalid_parameters"),
    ({"pronunciation_dictionary_locators": [{"pronunciation_dictionary_id": "x"}] * 4}, {}, 400,
     "invalid_parameters"),
    ({"pronunciation_dictionary_locators": [{"pronunciation_dictionary_id": "x"}]}, {}, 404,
     "pronunciation_dictionary_not_found"),
    ({}, {"output_format": "mp3_1_1"}, 400, "invalid_output_format"),
    ({}, {"output_format": "MP3_44100_128"}, 400, "invalid_output_format"),
]


@pytest.mark.parametrize("path", SPEECH)
@pytest.mark.parametrize("change, query, status, code", WRONG)
def test_wrong_by_meaning(http, path, change, query, status, code):
    refused(http.post(path, params=query, json={"text": TEXT, **change}), status, code)


@pytest.mark.parametrize("path", SPEECH)
@pytest.mark.parametrize("change, location, kind", [
    ({"text": None}, ["body", "text"], "missing"), ({"text": 7}, ["body", "text"], "type_error"),
    ({"seed": -1}, ["body", "seed"], "value_error"), ({"seed": "x"}, ["body", "seed"], "type_error"),
    ({"seed": 4294967296}, ["body", "seed"], "value_error"),
    ({"apply_text_normalization": "maybe"}, ["body", "apply_text_normalization"], "value_error"),
    ({"pronunciation_dictionary_locators": [{}]},
     ["body", "pronunciation_dictionary_locators", 0, "pronunciation_dictionary_id"], "missing")])
def test_wrong_by_type(http, path, change, location, kind):
    response = http.post(path, json={"text": TEXT, **change})
    assert response.status_code == 422, response.text
    assert response.json()["detail"][0]["loc"] == location
    assert response.json()["detail"][0]["type"] == kind


@pytest.mark.parametrize("path", DIALOGUE)
@pytest.mark.parametrize("change, status, code", [
    ({"inputs": []}, 422, ["body", "inputs"]),
    ({"inputs": [{"text": "a"}]}, 422, ["body", "inputs", 0, "voice_id"]),
    ({"inputs": [{"text": "a", "voice_id": "slt"}] * 101}, 422, ["body", "inputs"]),
    ({"inputs": [{"text": "", "voice_id": "slt"}]}, 400, "empty_text"),
    ({"inputs": [{"text": "a", "voice_id": "nobody"}]}, 404, "voice_not_found"),
    ({"inputs": [{"text": "a", "voice_id": "slt"}, {"text": "b", "voice_id": "nobody"}]}, 404,
     "voice_not_found"),
    ({"inputs": [{"text": "a" * 3001, "voice_id": "slt"}]}, 400, "text_too_long")])
def test_wrong_dialogues(http, path, change, status, code):
    response = http.post(path, json=change)
    if status == 422:
        assert response.status_code == 422 and response.json()["detail"][0]["loc"] == code
    else:
        refused(response, status, code)


@pytest.mark.parametrize("path", SPEECH + DIALOGUE)
def test_malformed_bodies(http, path):
    head = {"Content-Type": "application/json"}
    assert refused(http.post(path, content=b"{", headers=head), 400, "malformed_json"
                   )["type"] == "invalid_request"
    refused(http.post(path, content=b'{"text":"\xff"}', headers=head), 400, "invalid_text")
    assert http.post(path, params={"enable_logging": "perhaps"}, json=body_for(path)
                     ).json()["detail"][0]["loc"] == ["query", "enable_logging"]


def test_an_unknown_voice_is_404(http):
    for path in SPEECH:
        refused(http.post(path.replace("slt", "nobody"), json={"text": "Hi."}), 404,
                "voice_not_found")


def test_text_with_markup_is_text_unless_it_is_asked_for(http):
    query = {"output_format": "pcm_16000"}
    marked = {"text": "<speak>Hi.<break time='2s'/></speak>"}
    assert len(http.post(ONE, params=query, json=marked).content) > 16000
    broken = http.post(ONE, params={**query, "enable_ssml_parsing": "true"},
                       json={"text": "<speak>Hi.<break"})
    assert refused(broken, 400, "ssml_malformed")["type"] == "validation_error"


# Voices and models.

def test_voice_pages(http):
    everything = [voice["voice_id"] for voice in http.get("/v1/voices").json()["voices"]]
    seen, token = [], None
    while True:
        query = {"page_size": 3, **({"next_page_token": token} if token else {})}
        page = http.get("/v2/voices", params=query).json()
        assert page["total_count"] == len(everything)
        seen += [voice["voice_id"] for voice in page["voices"]]
        token = page["next_page_token"]
        assert page["has_more"] == bool(token)
        if not token:
            break
    assert seen == everything


def test_voice_search_and_sort(http):
    def ids(**query):
        reply = http.get("/v2/voices", params={"page_size": 100, **query})
        assert reply.status_code == 200, reply.text
        return [voice["voice_id"] for voice in reply.json()["voices"]]
    names = [voice["name"] for voice in http.get(
        "/v2/voices", params={"page_size": 100, "sort": "name"}).json()["voices"]]
    assert names == sorted(names)
    assert ids(sort="name", sort_direction="desc") != ids(sort="name")
    assert "slt" in ids(search="SLT") and "slt" not in ids(search="espeak")
    assert ids(voice_ids="slt") == ["slt"]
    assert ids(category="premade") == ids() == ids(voice_type="default")
    assert ids(category="cloned") == ids(voice_type="personal") == ids(collection_id="x") == []


@pytest.mark.parametrize("query, code", [
    ({"page_size": 0}, "invalid_page_size"), ({"page_size": "x"}, "invalid_page_size"),
    ({"page_size": 101}, "invalid_page_size"), ({"next_page_token": "x"}, "invalid_cursor"),
    ({"sort": "age"}, "invalid_parameters"), ({"sort_direction": "up"}, "invalid_parameters")])
def test_wrong_voice_queries(http, query, code):
    refused(http.get("/v2/voices", params=query), 400, code)


def test_built_in_voices_stay(http):
    refused(http.delete("/v1/voices/slt"), 403, "voice_access_denied")
    refused(http.post("/v1/voices/slt/edit", files={"name": (None, "Other")}), 403,
            "voice_access_denied")
    refused(http.post("/v1/voices/add", data={"name": "Me", "labels": "null"},
                      files={"files": ("a.wav", b"RIFF")}), 403, "feature_not_available")
    refused(http.get("/v1/voices/slt/samples/x/audio"), 404, "sample_not_found")


def test_wrong_settings(http):
    path = "/v1/voices/slt/settings/edit"
    refused(http.post(path, json={"stability": 9}), 400, "invalid_voice_settings", "stability")
    assert http.post(path, json=[]).status_code == 422
    refused(http.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400,
            "malformed_json")


@pytest.mark.parametrize("path, head, is_array", [
    ("/v1/models", {"xi-api-key": "x"}, True), ("/v1/models", {}, False),
    ("/v1/models", {"Authorization": "Bearer x"}, False), ("/elevenlabs/v1/models", {}, True),
    ("/openai/v1/models", {}, False), ("/openai/v1/models", {"xi-api-key": "x"}, False),
    ("/v1//models/", {"xi-api-key": "x"}, True)])
def test_two_meanings_of_models(http, path, head, is_array):
    reply = http.get(path, headers=head)
    assert reply.status_code == 200
    assert isinstance(reply.json(), list) == is_array


@pytest.mark.parametrize("method, path, head, key", [
    ("GET", "/v1/models/x", {"xi-api-key": "x"}, "detail"), ("GET", "/v1/models/x", {}, "error"),
    ("POST", "/v1/models", {"xi-api-key": "x"}, "detail"), ("POST", "/v1/models", {}, "error"),
    ("GET", "/v1/text-to-speech/slt", {}, "detail"), ("PUT", "/v1/voices", {}, "detail"),
    ("GET", "/v1/history/a/b/c", {}, "detail"), ("GET", "/elevenlabs/v1/x", {}, "detail"),
    ("GET", "/openai/v1/x", {}, "error"), ("GET", "/elevenlabs/v1/audio/x", {}, "error"),
    ("GET", "/v1/pronunciation-dictionaries/a/b", {}, "detail")])
def test_404_and_405_in_the_dialect_of_the_path(http, method, path, head, key):
    reply = http.request(method, path, headers=head)
    assert reply.status_code in (404, 405)
    assert list(reply.json()) == [key]


# Account.

def test_subscription_follows_the_plan(server):
    own = Server()
    try:
        _, key = team_with_key(own, "Paying", "free")
        with httpx.Client(base_url=own.url, headers={"xi-api-key": key}) as http:
            plan = http.get("/v1/user/subscription").json()
            assert (plan["tier"], plan["status"], plan["character_count"]) == ("free", "free", 0)
            assert 0 < plan["character_limit"] < 2147483647
            assert plan["next_character_count_reset_unix"] > time.time()
            http.post(ONE, json={"text": TEXT}, timeout=60)
            deadline = time.monotonic() + 10
            while http.get("/v1/user/subscription").json()["character_count"] != len(TEXT):
                assert time.monotonic() < deadline
            user = http.get("/v1/user").json()
            assert user["subscription"]["character_count"] == len(TEXT)
            now = int(time.time() * 1000)
            span = {"start_unix": now - 3_600_000, "end_unix": now + 60_000}
            stats = http.get("/v1/usage/character-stats", params=span).json()
            assert sum(stats["usage"]["All"]) == len(TEXT)
            by_voice = http.get("/v1/usage/character-stats",
                                params={**span, "breakdown_type": "voice"}).json()
            assert {name: sum(v) for name, v in by_voice["usage"].items()} == {"slt": len(TEXT)}
            by_key = http.get("/v1/usage/character-stats", params={
                **span, "breakdown_type": "api_keys", "metric": "request_count",
                "aggregation_interval": "cumulative"}).json()
            assert list(by_key["usage"].values()) == [[1]] and len(by_key["time"]) == 1
    finally:
        own.close()


@pytest.mark.parametrize("change", [
    {"start_unix": "x"}, {"end_unix": 0}, {"start_unix": 1}, {"breakdown_type": "mood"},
    {"metric": "joy"}, {"aggregation_interval": "blink"}])
def test_wrong_stats(http, change):
    span = {"start_unix": 1_795_000_000_000, "end_unix": 1_796_000_000_000}
    refused(http.get("/v1/usage/character-stats", params={**span, **change}), 400,
            "invalid_parameters")


def test_months_of_stats(http):
    reply = http.get("/v1/usage/character-stats", params={
        "start_unix": 1_793_491_200_000, "end_unix": 1_801_440_000_000,
        "aggregation_interval": "month"}).json()
    assert reply["time"] == [1793491200000, 1796083200000, 1798761600000]


# Keys, plans, and what all routes share.

PLANS = """
[[plan]]
id = "two"
name = "Two"
tier = "free"
currency = "USD"
price_minor = 0
requests = 1
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


@pytest.mark.parametrize("path", SPEECH + DIALOGUE)
def test_an_allowance_that_is_used_up_is_402(keyed, path):
    _, key = team_with_key(keyed, "Two " + path[-80:], "two")
    head = {"xi-api-key": key}
    assert httpx.post(keyed.url + path, json=body_for(path), headers=head, timeout=60
                      ).status_code == 200
    response = httpx.post(keyed.url + path, json=body_for(path), headers=head)
    assert refused(response, 402, "insufficient_credits")["type"] == "payment_required"


@pytest.mark.parametrize("path", SPEECH + DIALOGUE)
def test_more_at_once_than_the_plan_allows_is_429(keyed, path):
    _, key = team_with_key(keyed, "Alone " + path[-80:], "alone")
    head = {"xi-api-key": key}
    with httpx.stream("POST", keyed.url + "/v1/text-to-speech/slt/stream", headers=head,
                      json={"text": TEXT * 200, "model_id": "eleven_flash_v2_5"},
                      params={"output_format": "wav_48000"}, timeout=60) as held:
        assert held.status_code == 200
        assert held.headers["maximum-concurrent-requests"] == "1"
        response = httpx.post(keyed.url + path, json=body_for(path), headers=head)
        detail = refused(response, 429, "concurrent_limit_exceeded")
        assert detail["type"] == "rate_limit_error" and int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", SPEECH + DIALOGUE)
def test_a_retry_with_the_same_key_is_one_speech(http, path):
    import uuid
    head = {"Idempotency-Key": str(uuid.uuid4())}
    first = http.post(path, json=body_for(path), headers=head)
    assert first.status_code == 200
    again = http.post(path, json=body_for(path), headers=head)
    assert again.content == first.content
    refused(http.post(path, json=body_for(path, "Something else."), headers=head), 409,
            "idempotency_key_reused")


def test_a_crash_of_the_engine_is_an_error_of_ours(keyed):
    _, key = team_with_key(keyed, "Unlucky", "pro")
    for path in SPEECH[:1] + SPEECH[2:3]:
        response = httpx.post(keyed.url + path.replace("slt", "fake-crash"), json={"text": f"Oh {path[-9:]}."},
                              headers={"xi-api-key": key}, timeout=60)
        # Or the text has by now ended two workers, and is not tried a third time.
        wanted = {503: "service_unavailable", 400: "validation_error"}
        assert response.json()["detail"]["type"] == wanted[response.status_code]


@pytest.mark.parametrize("method, path", operations.of_tag("elevenlabs", 401))
def test_401_and_403(keyed, method, path):
    head = {"Content-Type": operations.media_type(method, path) or "application/json"}
    none = httpx.request(method, keyed.url + path, headers=head)
    refused(none, 401, "missing_api_key")
    wrong = httpx.request(method, keyed.url + path, headers={**head, "xi-api-key": "vf_live_x"})
    assert refused(wrong, 401, "invalid_api_key")["type"] == "authentication_error"
    team = admin(keyed, "create-team", "Without rights", "--plan", "pro")["id"]
    key = admin(keyed, "create-key", team, "--scope", "jobs:read"
                if path.startswith("/jobs") else "keys:read")["key"]
    forbidden = httpx.request(method, keyed.url + path, headers={**head, "xi-api-key": key})
    assert refused(forbidden, 403, "insufficient_permissions")["type"] == "authorization_error"


def test_models_with_keys(keyed):
    reply = httpx.get(keyed.url + "/v1/models", headers={"xi-api-key": "vf_live_x"})
    refused(reply, 401, "invalid_api_key")
    reply = httpx.get(keyed.url + "/v1/models", headers={"Authorization": "Bearer vf_live_x"})
    assert reply.json()["error"]["code"] == "invalid_api_key"


NOT_FOUND = {"voices": "voice_not_found", "history": "history_item_not_found",
             "pronunciation-dictionaries": "pronunciation_dictionary_not_found"}


@pytest.mark.parametrize("method, path", [
    one for one in operations.of_tag("elevenlabs", 404) if "text-to" not in one[1]])
def test_404(http, method, path):
    path = path.replace("/slt", "/nobody")
    body = (b'{"rules":[]}' if path.endswith("-rules") else
            b'{"history_item_ids":["hist_x"]}' if path.endswith("download") else b"{}")
    if path.endswith("remove-rules"):
        body = b'{"rule_strings":[]}'
    media_type = operations.media_type(method, path)
    head = {"Content-Type": media_type} if media_type else {}
    response = http.request(method, path, content=body if media_type else None, headers=head)
    assert refused(response, 404, NOT_FOUND[path.split("/")[2]])["type"] == "not_found"


@pytest.mark.parametrize("method, path", operations.of_tag("elevenlabs", 415))
def test_411_413_415(server, http, method, path):
    refused(http.request(method, path, content=b"x", headers={"Content-Type": "image/png"}), 415,
            "invalid_content_type")
    head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: {operations.media_type(method, path)}\r\n")
    for more, status in (("", 411), ("Content-Length: 99000000\r\n", 413)):
        reply = exchange(server.port, head + more + "\r\n")
        assert reply.status == status
        reply.check(method, path)


@pytest.mark.parametrize("method, path", [
    one for one in operations.of_tag("elevenlabs", 422) if "text-to" not in one[1]])
def test_422(http, method, path):
    media_type = operations.media_type(method, path)
    if media_type == "application/json":
        response = http.request(method, path, content=b"[]", headers={"Content-Type": media_type})
    else:
        response = http.request(method, path, files={"other": (None, "x")})
    assert response.status_code == 422, response.text
    assert response.json()["detail"][0]["loc"][0] == "body"


@pytest.mark.parametrize("change", ["set-rules", "add-rules", "remove-rules"])
def test_rules_that_are_no_json(http, change):
    path = f"/v1/pronunciation-dictionaries/dict_{'0' * 32}/{change}"
    refused(http.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400,
            "malformed_json")


WITH_IDS = [(method, path) for method, path in operations.of_tag("elevenlabs", 400)
            if method in ("GET", "DELETE") and re.search(r"/(slt|none|hist_|dict_|dver_)", path)]


@pytest.mark.parametrize("method, path", [*WITH_IDS, ("POST", "/v1/voices/slt/edit")])
def test_ids_with_control_characters(http, method, path):
    bad = re.sub(r"/(slt|none|hist_0+|dict_0+|dver_0+)", "/%1B", path)
    files = {"name": (None, "x")} if method == "POST" else None
    assert http.request(method, bad, files=files).status_code == 400


def test_default_settings_and_a_dictionary_from_a_file(http):
    assert http.get("/v1/voices/settings/default").json()["stability"] == 0.5
    pls = (b'<?xml version="1.0"?><lexicon version="1.0" alphabet="ipa" xml:lang="en" '
           b'xmlns="http://www.w3.org/2005/01/pronunciation-lexicon"><lexeme>'
           b'<grapheme>W3C</grapheme><alias>World Wide Web Consortium</alias></lexeme></lexicon>')
    made = http.post("/v1/pronunciation-dictionaries/add-from-file",
                     data={"name": "From a file"}, files={"file": ("web.pls", pls, "text/xml")})
    assert made.status_code == 200, made.text
    assert made.json()["version_rules_num"] == 1
