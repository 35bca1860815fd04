"""/api/vendors: a team's own accounts, whose voices speak through every route. A second server of
ours plays ElevenLabs and OpenAI; small servers play Cartesia and what can go wrong."""

import base64
import concurrent.futures
import io
import json
import socket
import struct
import threading
import time
import wave

import httpx
import pytest

from support.admin import team_with_key
from support.raw import exchange
from support.server import Server, wait_until
from support.vendor import Vendor, begin, cartesia, chunk, cut, reply, tone

PREFIXES = ["/api/vendors", "/api/v1/vendors"]
TEXT = "Good morning, everyone. How are you?"
WAIT = 60


@pytest.fixture(scope="module")
def far():
    """The vendor that is a server of ours."""
    far = Server(settings={"ENGINES_ENABLE": "flite,fake"})
    yield far
    far.close()


@pytest.fixture(scope="module")
def far_key(far):
    return team_with_key(far, "The vendor's customer", "pro")[1]


@pytest.fixture(scope="module")
def server():
    server = Server(settings={"VENDORS_ALLOW_PRIVATE_ADDRESSES": "true", "VENDORS_PER_TEAM": "4",
                              "VENDORS_VOICES": "150", "VENDORS_FIRST_BYTE_TIMEOUT": "2s",
                              "VENDORS_SEGMENT_TIMEOUT": "4s", "USAGE_SHIP_INTERVAL": "50ms",
                              "LOG_LEVEL": "debug"})
    yield server
    code = server.stop()
    server.close()
    assert code == 0


ALL = ("speech:read", "speech:write", "voices:read", "voices:write", "models:read", "usage:read",
       "admin:read", "admin:write")


def client_of(server, name, *scopes):
    words = [word for scope in scopes or ALL for word in ("--scope", scope)]
    team, key = team_with_key(server, name, "pro", *words)
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"},
                        timeout=WAIT), team


@pytest.fixture
def http(server, request):
    client, _ = client_of(server, request.node.name[:100])
    with client:
        yield client


def connect(http, name="far", prefix=PREFIXES[0], **body):
    body = {"vendor": "openai", "name": name, "api_key": "sk-1234567890", **body}
    response = http.post(prefix, json=body)
    assert response.status_code == 201, response.text
    assert response.headers["location"] == "/api/vendors/" + response.json()["id"]
    return response.json()


def as_openai(http, far, far_key, name="open", **more):
    voices = [{"id": "alloy"}, {"id": "slt", "name": "Slt", "languages": ["en-US"]}]
    return connect(http, name, api_key=far_key, base_url=far.url + "/v1", voices=voices, **more)


def as_elevenlabs(http, far, far_key, name="eleven", **more):
    return connect(http, name, vendor="elevenlabs", api_key=far_key, base_url=far.url, **more)


def refused(response, status, code):
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    return response.json()


def speak(http, voice, text=TEXT, route="/v1/generate", **more):
    body = {"text": text, "format": "pcm", **more}
    if voice:
        body["voice"] = voice
    return http.post(route, json=body)


def last_row(http, response):
    def there():
        rows = http.get("/api/usage").json()["data"]
        return [row for row in rows if row["id"] == response.headers["x-voiceflow-operation"]]
    return wait_until(there, 10, "the usage row")[0]


def misbehaving(http, answer, vendor="openai", name="bad", **more):
    """(the vendor, its connection)."""
    playing = Vendor(answer)
    base = playing.url + ("/v1" if vendor == "openai" else "")
    made = connect(http, name, vendor=vendor, base_url=base, voices=[{"id": "v"}], **more)
    return playing, made


# --- connections


@pytest.mark.parametrize("prefix", PREFIXES)
def test_from_connecting_to_forgetting(http, prefix):
    made = connect(http, prefix=prefix, voices=[{"id": "alloy"}], base_url="http://127.0.0.1:9/v1/",
                   price={"per_million": 1500, "currency": "USD"}, fallback=2)
    path = f"{prefix}/{made['id']}"
    assert made["key_hint"] == "7890" and made["base_url"] == "http://127.0.0.1:9/v1"
    assert made["voices"][0]["voice"] == "far:alloy" and made["model"] == "gpt-4o-mini-tts"
    assert http.get(path).json() == made
    assert http.get(prefix).json() == {"data": [made], "next_cursor": None}
    changed = http.patch(path, json={"name": "near", "model": "tts-1", "price": None,
                                     "fallback": None, "api_key": "another-key-abcd"})
    assert changed.status_code == 200, changed.text
    changed = changed.json()
    assert (changed["name"], changed["model"], changed["key_hint"]) == ("near", "tts-1", "abcd")
    assert (changed["price"], changed["fallback"]) == (None, None)
    assert http.patch(path, json={}).json()["name"] == "near"
    assert http.delete(path).status_code == 204
    refused(http.get(path), 404, "vendor_not_found")
    refused(http.delete(path), 404, "vendor_not_found")
    refused(http.patch(path, json={"name": "x"}), 404, "vendor_not_found")
    refused(http.patch(path, json={"fetch_voices": True}), 404, "vendor_not_found")
    refused(http.post(path + "/test"), 404, "vendor_not_found")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_pages(http, prefix):
    for name in ("a", "b", "c"):
        connect(http, name, voices=[{"id": "x"}])
    first = http.get(prefix, params={"limit": 2}).json()
    assert [one["name"] for one in first["data"]] == ["c", "b"]
    rest = http.get(prefix, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["name"] for one in rest["data"]] == ["a"] and rest["next_cursor"] is None
    refused(http.get(prefix, params={"limit": 0}), 400, "invalid_request")
    refused(http.get(prefix, params={"page": 1}), 400, "invalid_request")
    refused(http.get(f"{prefix}/{first['data'][0]['id']}?x=1"), 400, "invalid_request")
    refused(http.delete(f"{prefix}/{first['data'][0]['id']}?x=1"), 400, "invalid_request")
    refused(http.post(prefix + "?x=1", json={}), 400, "invalid_request")
    refused(http.get(prefix + "/nonsense"), 404, "vendor_not_found")


@pytest.mark.parametrize("change, code, member", [
    ({"name": "Upper"}, "invalid_name", "/name"),
    ({"name": ""}, "invalid_name", "/name"),
    ({"name": "a" * 33}, "invalid_name", "/name"),
    ({"name": "with:colon"}, "invalid_name", "/name"),
    ({"api_key": "short"}, "invalid_api_key", "/api_key"),
    ({"api_key": "line\r\nX-Evil: 1"}, "invalid_api_key", "/api_key"),
    ({"base_url": "ftp://127.0.0.1"}, "invalid_base_url", "/base_url"),
    ({"base_url": "http://user:pw@127.0.0.1"}, "invalid_base_url", "/base_url"),
    ({"base_url": "http://127.0.0.1/?key=1"}, "invalid_base_url", "/base_url"),
    ({"base_url": "http://"}, "invalid_base_url", "/base_url"),
    ({"model": "two words"}, "invalid_model", "/model"),
    ({"voices": []}, "voices_required", "/voices"),
    ({"voices": [{"id": "a"}, {"id": "a"}]}, "invalid_voice", "/voices"),
    ({"voices": [{"id": "../x"}]}, "invalid_voice", "/voices/0/id"),
    ({"voices": [{"id": "a", "languages": ["?"]}]}, "invalid_voice", "/voices/0/languages"),
    ({"voices": [{"id": "a", "gender": "x"}]}, "invalid_voice", "/voices/0/gender"),
    ({"voices": [{"id": str(i)} for i in range(151)]}, "too_many_voices", "/voices"),
    ({"price": {"per_million": -1, "currency": "USD"}}, "invalid_price", "/price/per_million"),
    ({"price": {"per_million": 1, "currency": "usd"}}, "invalid_price", "/price/currency"),
    ({"fallback": 0}, "invalid_fallback", "/fallback"),
    ({"unknown": 1}, "invalid_request", "/unknown"),
])
def test_what_is_wrong_is_named(http, change, code, member):
    body = {"vendor": "openai", "name": "x", "api_key": "sk-1234567890", "voices": [{"id": "a"}]}
    problem = refused(http.post("/api/vendors", json={**body, **change}), 400, code)
    assert problem["errors"][0]["pointer"] == member, problem
    path = "/api/vendors/" + connect(http, "good", voices=[{"id": "a"}])["id"]
    refused(http.patch(path, json={**change, "api_key": change.get("api_key", "sk-1234567890")}),
            400, code)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_other_refusals(http, prefix):
    refused(http.post(prefix, json={"vendor": "acme", "name": "x", "api_key": "12345678"}),
            400, "invalid_request")
    first = connect(http, "one", voices=[{"id": "a"}], price={"per_million": 1, "currency": "EUR"})
    refused(http.post(prefix, json={"vendor": "openai", "name": "one", "api_key": "12345678",
                                            "voices": [{"id": "a"}]}), 409, "vendor_exists")
    other = {"per_million": 1, "currency": "USD"}
    refused(http.post(prefix, json={"vendor": "openai", "name": "two", "api_key": "12345678",
                                            "voices": [{"id": "a"}], "price": other}),
            409, "currency_differs")
    assert http.patch(f"{prefix}/{first['id']}", json={"price": other}).status_code == 200
    second = connect(http, "two", voices=[{"id": "a"}])
    refused(http.patch(f"{prefix}/{second['id']}", json={"name": "one"}), 409, "vendor_exists")
    # Nobody sends a key that they do not have to a server of theirs.
    refused(http.patch(f"{prefix}/{second['id']}", json={"base_url": "http://127.0.0.1:1"}),
            400, "api_key_required")
    refused(http.patch(f"{prefix}/{second['id']}",
                       json={"base_url": "http://127.0.0.1:1", "fetch_voices": True}),
            400, "api_key_required")
    refused(http.patch(f"{prefix}/{second['id']}",
                       json={"voices": [{"id": "b"}], "fetch_voices": True}), 400, "invalid_request")
    for name in ("three", "four"):
        connect(http, name, voices=[{"id": "a"}])
    refused(http.post(prefix, json={"vendor": "openai", "name": "five", "api_key": "12345678",
                                            "voices": [{"id": "a"}]}), 409, "too_many_vendors")


def test_openai_itself_has_no_list(http):
    made = connect(http, "itself")
    assert made["base_url"] == "https://api.openai.com/v1"
    assert "alloy" in [one["id"] for one in made["voices"]] and len(made["voices"]) == 13


@pytest.mark.parametrize("prefix", PREFIXES)
def test_who_may(server, http, prefix):
    path = f"{prefix}/{connect(http, voices=[{'id': 'a'}])['id']}"
    reader, _ = client_of(server, f"Reader {prefix}", "voices:read", "voices:write")
    deaf, _ = client_of(server, f"Deaf {prefix}", "speech:write")
    nobody = httpx.Client(base_url=server.url, headers={"Authorization": "Bearer vf_nonsense"})
    calls = [("GET", prefix), ("POST", prefix), ("GET", path), ("PATCH", path), ("DELETE", path),
             ("POST", path + "/test")]
    with reader, deaf, nobody:
        for method, url in calls:
            json_body = {} if method in ("POST", "PATCH") and "test" not in url else None
            assert nobody.request(method, url, json=json_body).status_code == 401
            assert deaf.request(method, url, json=json_body).status_code == 403
            if method != "GET":
                assert reader.request(method, url, json=json_body).status_code == 403
        assert reader.get(prefix).status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_refusals_of_every_route(server, http, prefix):
    path = f"{prefix}/{connect(http, voices=[{'id': 'a'}])['id']}"
    for method, url in (("GET", prefix), ("POST", prefix), ("GET", path), ("PATCH", path),
                        ("DELETE", path), ("POST", path + "/test")):
        body = {} if method in ("POST", "PATCH") and "test" not in url else None
        response = http.request(method, url, json=body, headers={"Accept": "image/png"})
        assert response.status_code == 406, (method, url)
    assert http.post(path + "/test?x=1").status_code == 400
    for method, url in (("POST", prefix), ("PATCH", path)):
        assert http.request(method, url, content="x",
                            headers={"Content-Type": "text/plain"}).status_code == 415
        assert http.request(method, url, content=b"{" + b" " * (1 << 20) + b"}",
                            headers={"Content-Type": "application/json"}).status_code == 413
        answer = exchange(server.port, f"{method} {url} HTTP/1.1\r\nHost: x\r\n"
                          f"Authorization: {http.headers['Authorization']}\r\n"
                          "Content-Type: application/json\r\nConnection: close\r\n\r\n")
        assert answer.status == 411
        answer.check(method, url)


def test_keys_are_nowhere_in_plain(server, http, tmp_path):
    key = "sk-very-secret-9f8e7d"
    made = connect(http, "secret", api_key=key, base_url="http://127.0.0.1:9", voices=[{"id": "a"}])
    speak(http, "secret:a", "A text that nobody else shall read.")
    assert key not in http.get("/api/vendors").text
    assert not any(key in line or "nobody else shall" in line for line in server.log)
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    for path in files:
        try:
            assert key.encode() not in path.read_bytes(), path
        except (FileNotFoundError, PermissionError):
            continue
    assert made["key_hint"] == "8e7d"


def test_private_addresses_are_refused_by_default(far, far_key):
    careful = Server(settings={"ENGINES_ENABLE": "flite"})
    try:
        client, _ = client_of(careful, "Careful")
        with client as http:
            body = {"vendor": "openai", "name": "x", "api_key": far_key, "voices": [{"id": "a"}],
                    "base_url": far.url + "/v1"}
            refused(http.post("/api/vendors", json=body), 400, "https_required")
            for host in ("127.0.0.1", "[::1]", "169.254.169.254", "localhost"):
                made = http.post("/api/vendors", json={**body, "base_url": f"https://{host}:1/v1"})
                assert made.status_code == 201, made.text
                refused(speak(http, "x:a"), 503, "vendor_address_refused")
                assert http.delete(f"/api/vendors/{made.json()['id']}").status_code == 204
            del body["voices"]
            refused(http.post("/api/vendors", json={**body, "base_url": "https://127.0.0.1:1/v1"}),
                    503, "vendor_address_refused")
    finally:
        careful.close()


# --- their voices


def test_voices_are_listed_for_their_team_only(server, http, far, far_key):
    as_elevenlabs(http, far, far_key)
    as_openai(http, far, far_key)
    other, _ = client_of(server, "Others")
    with other:
        for client, is_own in ((http, True), (other, False)):
            headers = {"xi-api-key": client.headers["Authorization"].removeprefix("Bearer ")}
            ids = [one["id"] for one in client.get("/api/voices").json()["voices"]]
            assert ("eleven:slt" in ids and "open:alloy" in ids) is is_own
            ids = [one["voice_id"] for one in client.get("/v1/voices").json()["voices"]]
            assert ("eleven:slt" in ids) is is_own
            found = client.get("/v2/voices", params={"search": "eleven:slt"}).json()["voices"]
            assert bool(found) is is_own
            ids = [one["id"] for one in client.get("/v1/audio/voices").json()["voices"]]
            assert ("open:slt" in ids) is is_own
            expected = 200 if is_own else 404
            assert client.get("/api/voices/eleven:slt").status_code == expected
            assert client.get("/v1/voices/eleven:slt", headers=headers).status_code == expected
            assert client.get("/v1/voices/eleven:slt/settings").status_code == expected
            refused(client.get("/api/voices/eleven:slt/preview"), 404,
                    "preview_not_available" if is_own else "voice_not_found")
            response = speak(client, "eleven:slt", "Hello.")
            if is_own:
                assert response.status_code == 200
            else:
                refused(response, 400, "voice_not_found")
    voice = http.get("/api/voices/open:slt").json()
    assert (voice["engine"], voice["technology"], voice["languages"]) == ("openai", "neural", ["en-US"])
    assert voice["preview_url"] is None


@pytest.mark.parametrize("kind", ["eleven", "open"])
def test_they_speak_on_every_route(http, far, far_key, kind):
    (as_elevenlabs if kind == "eleven" else as_openai)(http, far, far_key, kind)
    voice = f"{kind}:slt"
    whole = speak(http, voice)
    assert whole.status_code == 200 and whole.headers["x-voiceflow-voice"] == voice
    seconds = len(whole.content) / 2 / 24000
    assert 1 < seconds < 6
    streamed = speak(http, voice, route="/v1/generate/stream")
    assert abs(len(streamed.content) - len(whole.content)) < 24000 * 2 * 0.2
    answer = http.post(f"/v1/text-to-speech/{voice}", json={"text": TEXT},
                       params={"output_format": "wav_24000"})
    assert answer.status_code == 200, answer.text
    assert wave.open(io.BytesIO(answer.content)).getnframes() / 24000 > 1
    timed = http.post(f"/v1/text-to-speech/{voice}/with-timestamps", json={"text": TEXT})
    assert timed.status_code == 200, timed.text
    assert "".join(timed.json()["alignment"]["characters"]) == TEXT
    answer = http.post("/v1/audio/speech", json={"model": "tts-1", "input": TEXT, "voice": voice,
                                                 "response_format": "wav"})
    assert answer.status_code == 200, answer.text
    answer = http.post("/tts/bytes", json={
        "model_id": "sonic-3", "transcript": TEXT, "voice": {"mode": "id", "id": voice},
        "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24000}})
    assert answer.status_code == 200, answer.text
    assert len(answer.content) > 48000
    assert http.get(f"/voices/{voice}").json()["id"] == voice
    answer = http.post("/v1/speak", params={"model": voice, "encoding": "linear16"},
                       json={"text": TEXT})
    assert answer.status_code == 200 and answer.headers["dg-char-count"] == str(len(TEXT))
    ssml = http.post("/v1/generate", json={
        "ssml": f'<speak>One. <voice name="{voice}">Two, three.</voice></speak>', "format": "pcm",
        "voice": "slt"})
    assert ssml.status_code == 200, ssml.text
    dialogue = http.post("/v1/text-to-dialogue", json={"inputs": [
        {"text": "Hello there.", "voice_id": voice}, {"text": "Good day.", "voice_id": "rms"}]})
    assert dialogue.status_code == 200, dialogue.text


def words_of(http, voice):
    with http.stream("POST", "/v1/generate/stream", json={"text": TEXT, "voice": voice},
                     headers={"Accept": "application/x-ndjson"}) as response:
        assert response.status_code == 200, response.read()
        lines = [json.loads(line) for line in response.iter_lines() if line]
    assert lines[-1]["type"] == "done"
    return [word for line in lines for word in line.get("words", [])], lines[-1]["timing"]


def test_times_that_a_vendor_does_not_tell_are_found_in_its_audio(http, far, far_key):
    as_openai(http, far, far_key)
    found, source = words_of(http, "open:slt")
    ours, ours_source = words_of(http, "slt")
    assert (source, ours_source) == ("aligned", "engine")
    assert [word["text"] for word in found] == [word["text"] for word in ours]
    assert max(abs(a["start"] - b["start"]) for a, b in zip(found, ours)) < 0.15


def test_times_come_from_the_vendor(http, far, far_key):
    as_elevenlabs(http, far, far_key)
    with httpx.Client(base_url=far.url, headers={"Authorization": f"Bearer {far_key}"},
                      timeout=WAIT) as direct:
        expected, _ = words_of(direct, "slt")
    found, source = words_of(http, "eleven:slt")
    assert source == "engine" and len(found) == len(expected) == 6
    for mine, theirs in zip(found, expected):
        assert mine["text_begin"] == theirs["text_begin"]
        assert abs(mine["start"] - theirs["start"]) < 0.1, (mine, theirs)


def test_what_the_vendor_does_itself(http):
    asked = []

    def answer(handler, path, body):
        asked.append((path, body))
        reply(handler, 200, tone(0.2), media="audio/pcm")
    playing, _ = misbehaving(http, answer, name="open", model="tts-x")
    with playing:
        assert speak(http, "open:v", "Hello.", speed=1.5).status_code == 200
        path, body = asked[-1]
        assert path == "/v1/audio/speech"
        assert body == {"model": "tts-x", "input": "Hello.", "voice": "v", "response_format": "pcm",
                        "speed": 1.5}
        assert playing.asked[-1][1]["Authorization"] == "Bearer sk-1234567890"
        # Nothing is normalised that the vendor reads better, unless the language is said.
        assert speak(http, "open:v", "It costs $3.").status_code == 200
        assert asked[-1][1]["input"] == "It costs $3."
        assert speak(http, "open:v", "It costs $3.", language="en").status_code == 200
        assert asked[-1][1]["input"] == "It costs three dollars."


def test_elevenlabs_settings_go_through(http, far, far_key):
    asked = []

    def answer(handler, path, body):
        asked.append((path, body))
        line = {"audio_base64": base64.b64encode(tone(0.2)).decode(), "alignment": None,
                "normalized_alignment": None}
        reply(handler, 200, json.dumps(line).encode() + b"\n")
    playing, _ = misbehaving(http, answer, vendor="elevenlabs", name="el",
                             model="eleven_flash_v2_5")
    with playing:
        response = http.post("/v1/text-to-speech/el:v", json={
            "text": "One sentence. Another one.", "language_code": "de", "seed": 7,
            "next_text": "And so on.",
            "voice_settings": {"stability": 0.2, "speed": 1.1}})
        assert response.status_code == 200, response.text
        path, body = asked[0]
        assert path == "/v1/text-to-speech/v/stream/with-timestamps?output_format=pcm_24000"
        assert playing.asked[0][1]["xi-api-key"] == "sk-1234567890"
        assert body["voice_settings"] == {"stability": 0.2, "similarity_boost": 0.75, "style": 0,
                                          "use_speaker_boost": True, "speed": 1.1}
        assert (body["language_code"], body["seed"]) == ("de", 7)
        assert body["next_text"] == "Another one." and "previous_text" not in body
        assert asked[1][1]["previous_text"] == "One sentence."
        assert asked[1][1]["next_text"] == "And so on." and len(asked) == 2


@pytest.mark.parametrize("with_times", [True, False])
def test_cartesia(http, with_times):
    with Vendor(cartesia(with_times)) as playing:
        made = connect(http, "carte", vendor="cartesia", base_url=playing.url)
        assert made["voices"] == [{"id": "sonic-anna", "voice": "carte:sonic-anna", "name": "Anna",
                                   "languages": ["en"], "gender": "female"}]
        response = speak(http, "carte:sonic-anna", "One two three four five.")
        assert response.status_code == 200, response.text
        assert 0.4 < len(response.content) / 2 / 24000 < 1.5
        path, headers, body = playing.asked[-1]
        assert path == ("/tts/sse" if with_times else "/tts/bytes")
        assert headers["Authorization"] == "Bearer sk-1234567890" and headers["Cartesia-Version"]
        assert body["voice"] == {"mode": "id", "id": "sonic-anna"} and body["language"] == "en"
        found, source = words_of(http, "carte:sonic-anna")
        assert (source == "engine") is with_times
        if with_times:
            assert [word["text"] for word in found][:2] == ["Good", "morning"]


def test_a_live_socket_speaks_with_them(server, http, far, far_key):
    from websockets.sync.client import connect as open_socket
    as_openai(http, far, far_key)
    url = server.url.replace("http", "ws") + "/v1/stream"
    headers = {"Authorization": http.headers["Authorization"]}
    with open_socket(url, additional_headers=headers) as stream:
        stream.send(json.dumps({"type": "start", "context": "c", "voice": "open:slt", "format": "pcm",
                                "text": "Hello there. How are you?", "end": True}))
        sent = 0
        while True:
            message = stream.recv(30)
            if isinstance(message, bytes):
                sent += len(message)
                continue
            message = json.loads(message)
            assert message["type"] != "error", message
            if message["type"] == "done":
                break
    assert sent > 24000


# --- what goes wrong


def test_a_list_that_cannot_be_had(http, far):
    body = {"name": "x", "api_key": "vf_wrong_key_of_mine"}
    problem = refused(http.post("/api/vendors", json={
        **body, "vendor": "elevenlabs", "base_url": far.url}), 400, "vendor_key_refused")
    assert problem["errors"][0]["pointer"] == "/api_key"
    refused(http.post("/api/vendors", json={**body, "vendor": "cartesia",
                                            "base_url": "http://127.0.0.1:1"}),
            503, "vendor_unavailable")
    with Vendor(lambda handler, path, body: reply(handler, 200, b"<html>")) as playing:
        refused(http.post("/api/vendors", json={**body, "vendor": "elevenlabs",
                                                "base_url": playing.url}),
                503, "vendor_answer_unreadable")
    busy = [("Retry-After", "7")]
    with Vendor(lambda handler, path, body: reply(handler, 429, {}, busy)) as playing:
        for prefix in PREFIXES:
            refused(http.post(prefix, json={**body, "vendor": "elevenlabs",
                                            "base_url": playing.url}), 429, "vendor_rate_limited")
            made = connect(http, "v" + str(len(prefix)), vendor="elevenlabs", base_url=playing.url,
                           voices=[{"id": "a"}])
            path = f"{prefix}/{made['id']}"
            refused(http.patch(path, json={"fetch_voices": True}), 429, "vendor_rate_limited")
            refused(http.post(path + "/test"), 429, "vendor_rate_limited")
    for prefix in PREFIXES:  # it is gone
        refused(http.post(prefix, json={**body, "vendor": "elevenlabs", "base_url": playing.url}),
                503, "vendor_unavailable")
        path = f"{prefix}/{http.get(prefix).json()['data'][0]['id']}"
        refused(http.patch(path, json={"fetch_voices": True}), 503, "vendor_unavailable")
        refused(http.post(path + "/test"), 503, "vendor_unavailable")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_test_says_how_it_is(http, far, far_key, prefix):
    made = as_openai(http, far, far_key)
    path = f"{prefix}/{made['id']}"
    tested = http.post(path + "/test")
    assert tested.status_code == 200, tested.text
    assert tested.json()["voice"] == "open:alloy" and tested.json()["audio_ms"] > 300
    assert http.patch(path, json={"api_key": "vf_wrong_key_of_mine"}).status_code == 200
    refused(http.post(path + "/test"), 400, "vendor_key_refused")
    error = wait_until(lambda: http.get(path).json()["last_error"], 10, "the last error")
    assert error["code"] == "vendor_key_refused" and "vf_wrong" not in error["message"]
    assert http.patch(path, json={"api_key": far_key}).json()["last_error"] is None
    assert http.post(path + "/test").status_code == 200
    fetched = http.patch(path, json={"fetch_voices": True}).json()
    assert "slt" in [one["id"] for one in fetched["voices"]]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_one_test_at_a_time(http, prefix):
    go_on = threading.Event()

    def answer(handler, path, body):
        go_on.wait(1.5)
        reply(handler, 200, tone(0.1))
    playing, made = misbehaving(http, answer)
    with playing, concurrent.futures.ThreadPoolExecutor() as pool:
        path = f"{prefix}/{made['id']}/test"
        first = pool.submit(http.post, path)
        wait_until(lambda: playing.asked, 5, "the first test")
        refused(http.post(path), 409, "test_running")
        go_on.set()
        assert first.result().status_code == 200


@pytest.mark.parametrize("answer, status, code", [
    (lambda h: reply(h, 401, {"error": {"code": "invalid_api_key", "message": "sk-1234567890"}}),
     503, "vendor_key_refused"),
    (lambda h: reply(h, 403, {"detail": "no"}), 503, "vendor_key_refused"),
    (lambda h: reply(h, 402, {}), 503, "vendor_quota_exhausted"),
    (lambda h: reply(h, 401, {"detail": {"status": "quota_exceeded"}}), 503,
     "vendor_quota_exhausted"),
    (lambda h: reply(h, 429, {"error": {"code": "insufficient_quota"}}), 503,
     "vendor_quota_exhausted"),
    (lambda h: reply(h, 429, {}, [("Retry-After", "7")]), 429, "vendor_rate_limited"),
    (lambda h: reply(h, 400, {"error": {"code": "bad_voice", "message": TEXT}}), 400,
     "vendor_refused"),
    (lambda h: reply(h, 404, {}), 400, "vendor_voice_not_found"),
    (lambda h: reply(h, 500, b"\xff\x00garbage"), 503, "vendor_unavailable"),
    (lambda h: reply(h, 302, b"", [("Location", "http://127.0.0.1:1/")]), 503,
     "vendor_unavailable"),
    (lambda h: reply(h, 200, b""), 503, "vendor_no_audio"),
    (lambda h: reply(h, 200, {"error": "in the body"}), 503, "vendor_answer_unreadable"),
    (lambda h: h.connection.shutdown(2), 503, "vendor_unavailable"),
    (lambda h: h.wfile.write(b"no http at all\r\n\r\n"), 503, "vendor_unavailable"),
    (lambda h: time.sleep(2.5), 503, "vendor_timeout"),
])
def test_refusals_of_a_vendor(http, answer, status, code):
    playing, made = misbehaving(http, lambda handler, path, body: answer(handler))
    with playing:
        response = speak(http, "bad:v")
        problem = refused(response, status, code)
        assert "sk-12" not in response.text and "Good morning" not in response.text
        assert problem["detail"].startswith("OpenAI")
        if code == "vendor_rate_limited":
            assert response.headers["retry-after"] == "7"
        said = {"model": "tts-1", "input": TEXT, "voice": "bad:v"}
        if code != "vendor_timeout":
            response = http.post("/v1/audio/speech", json=said)
            assert response.status_code == status
            assert response.json()["error"]["message"].startswith("OpenAI")
        error = wait_until(lambda: http.get(f"/api/vendors/{made['id']}").json()["last_error"], 5,
                           "the last error")
        assert error["code"] == code


@pytest.mark.parametrize("lines", [
    b"{\"audio_base64\": \"!!!\"}\n", b"[1, 2]\n", b"{\"audio_base64\": 5", b"<html>\n" * 50,
    b"{" * 100_000 + b"\n", b"\xff\xfe\n"])
def test_garbage_of_a_vendor(http, lines):
    playing, _ = misbehaving(http, lambda handler, path, body: reply(handler, 200, lines),
                             vendor="elevenlabs")
    with playing:
        response = speak(http, "bad:v")
        assert response.status_code == 503, response.text
        assert response.json()["code"] in ("vendor_answer_unreadable", "vendor_answer_cut",
                                           "vendor_no_audio")


def test_cut_in_the_middle(http):
    def answer(handler, path, body):
        begin(handler)
        chunk(handler, tone(1))
        cut(handler)
    playing, _ = misbehaving(http, answer)
    with playing:
        refused(speak(http, "bad:v"), 503, "vendor_unavailable")
        with pytest.raises(httpx.RemoteProtocolError):
            speak(http, "bad:v", route="/v1/generate/stream")


def test_an_endless_vendor_is_left(http):
    def answer(handler, path, body):
        begin(handler)
        piece = tone(5)
        while True:
            chunk(handler, piece)
    playing, _ = misbehaving(http, answer)
    with playing:
        refused(speak(http, "bad:v"), 503, "vendor_answer_too_long")
        wait_until(lambda: playing.left == 1, 10, "the vendor being left")


def test_a_vendor_that_drips_is_left(http):
    def answer(handler, path, body):
        begin(handler)
        for _ in range(100):
            chunk(handler, b"\0\1")
            time.sleep(0.1)
    playing, _ = misbehaving(http, answer)
    with playing:
        before = time.monotonic()
        refused(speak(http, "bad:v"), 503, "vendor_timeout")
        assert 3 < time.monotonic() - before < 8
        wait_until(lambda: playing.left == 1, 10, "the vendor being left")


def test_a_client_that_leaves_ends_it_at_the_vendor(http):
    begun = threading.Event()

    def answer(handler, path, body):
        begin(handler)
        while True:
            chunk(handler, tone(0.2))
            begun.set()
            time.sleep(0.05)
    playing, _ = misbehaving(http, answer)
    with playing:
        with http.stream("POST", "/v1/generate/stream", json={"text": TEXT, "voice": "bad:v",
                                                              "format": "pcm"}) as response:
            assert response.status_code == 200
            next(response.iter_raw())
        assert begun.is_set()
        wait_until(lambda: playing.left == 1, 5, "the vendor being left")


def test_a_client_that_leaves_before_the_vendor_answers(server, http):
    asked = threading.Event()

    def answer(handler, path, body):
        asked.set()
        handler.connection.settimeout(10)
        assert handler.rfile.read(1) == b""  # until the other side hangs up
        raise ConnectionError
    playing, _ = misbehaving(http, answer)
    with playing:
        body = json.dumps({"text": TEXT, "voice": "bad:v"}).encode()
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        + f"Authorization: {http.headers['Authorization']}\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert asked.wait(5)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        before = time.monotonic()
        wait_until(lambda: playing.left == 1, 5, "the vendor being left")
        assert time.monotonic() - before < 1.5, "not only by the deadline"


def test_a_vendor_that_is_away_is_left_alone_for_a_moment(http):
    playing, made = misbehaving(http, lambda handler, path, body: reply(handler, 503, {}))
    with playing:
        for _ in range(6):
            refused(speak(http, "bad:v"), 503, "vendor_unavailable")
        assert len(playing.asked) == 3
        # A change makes it worth another try.
        http.patch(f"/api/vendors/{made['id']}", json={"model": "other"})
        refused(speak(http, "bad:v"), 503, "vendor_unavailable")
        assert len(playing.asked) == 4


def test_the_death_of_a_vendor(server, http):
    """A real server of ours, killed while it speaks."""
    far = Server(settings={"ENGINES_ENABLE": "flite,fake"})
    try:
        key = team_with_key(far, "Customer", "pro")[1]
        as_openai(http, far, key, "dying")
        text = "A sentence that takes a little while to say, word by word by word. " * 40
        with pytest.raises(httpx.RemoteProtocolError):
            with http.stream("POST", "/v1/generate/stream", json={"text": text, "format": "pcm",
                                                                  "voice": "dying:slt"}) as response:
                assert response.status_code == 200
                chunks = response.iter_raw()
                next(chunks)
                far.kill()
                for _ in chunks:
                    pass
        refused(speak(http, "dying:slt"), 503, "vendor_unavailable")
        assert speak(http, "slt").status_code == 200
    finally:
        far.close()


# --- in whose place


def test_without_an_order_nothing_changes(http, far, far_key):
    as_openai(http, far, far_key)
    response = speak(http, None, "Hello.")
    assert response.headers["x-voiceflow-voice"] == "alloy"
    playing, _ = misbehaving(http, lambda handler, path, body: reply(handler, 500, {}))
    with playing:
        refused(speak(http, "bad:v"), 503, "vendor_unavailable")


@pytest.mark.parametrize("route", ["/v1/generate", "/v1/generate/stream"])
def test_another_speaks_instead(http, far, far_key, route):
    playing, bad = misbehaving(http, lambda handler, path, body: reply(handler, 500, {}), fallback=1,
                               price={"per_million": 1_000_000, "currency": "EUR"})
    good = as_openai(http, far, far_key, fallback=2)
    with playing:
        response = speak(http, "bad:v", route=route)
        assert response.status_code == 200, response.text
        assert response.headers["x-voiceflow-voice"] == "open:alloy"
        warning = response.headers["x-voiceflow-warning"]
        assert warning == ("the voice bad:v could not speak (vendor_unavailable), open:alloy speaks "
                           "instead")
        row = last_row(http, response)
        assert (row["voice"], row["engine"], row["deployment"]) == ("open:alloy", "openai", "open")
        assert row["vendor_milli"] == 0, "what could not speak costs nothing"
        # The next class takes over when no vendor is left.
        assert http.delete(f"/api/vendors/{good['id']}").status_code == 204
        response = speak(http, "bad:v", route=route)
        assert response.headers["x-voiceflow-voice"] == "alloy"
        row = last_row(http, response)
        assert (row["engine"], row["deployment"]) == ("flite", "")
        # So it does where no voice was asked for, with the language that was.
        response = speak(http, None, "Guten Morgen.", language="de", route=route)
        assert response.status_code == 200 and "bad:v" in response.headers["x-voiceflow-warning"]
        assert http.get("/api/voices/" + response.headers["x-voiceflow-voice"]).json()[
            "languages"][0].startswith("de")
        # Switched off, the error is the answer.
        http.patch(f"/api/vendors/{bad['id']}", json={"fallback": None})
        refused(speak(http, "bad:v", route=route), 503, "vendor_unavailable")


def test_no_voice_asks_the_vendor_first(http, far, far_key):
    as_openai(http, far, far_key, fallback=1)
    response = speak(http, None, "Hello.")
    assert response.headers["x-voiceflow-voice"] == "open:alloy"
    assert "x-voiceflow-warning" not in response.headers
    assert speak(http, "slt", "Hello.").headers["x-voiceflow-voice"] == "slt"
    leading = http.post("/v1/generate", json={"ssml": '<speak><break time="1s"/>Hello.</speak>',
                                              "format": "pcm"})
    assert leading.headers["x-voiceflow-voice"] == "open:alloy"
    assert len(leading.content) > 48000


def test_no_other_voice_goes_on_in_the_middle(http, far, far_key):
    def answer(handler, path, body):
        if "first" not in body["input"]:
            return reply(handler, 500, {})
        return reply(handler, 200, tone(0.3))
    playing, _ = misbehaving(http, answer, fallback=1)
    with playing:
        refused(speak(http, "bad:v", "The first sentence. The other one."), 503,
                "vendor_unavailable")
        assert len(playing.asked) == 2
        # A request that is refused for what it says is refused.
        http.patch(f"/api/vendors/{http.get('/api/vendors').json()['data'][0]['id']}",
                   json={"model": "m"})


def test_a_wrong_request_is_not_tried_elsewhere(http):
    playing, _ = misbehaving(http, lambda handler, path, body: reply(handler, 400, {}), fallback=1)
    with playing:
        refused(speak(http, "bad:v"), 400, "vendor_refused")


def test_a_live_socket_falls_back(server, http):
    from websockets.sync.client import connect as open_socket
    playing, _ = misbehaving(http, lambda handler, path, body: reply(handler, 500, {}), fallback=1)
    url = server.url.replace("http", "ws") + "/v1/stream"
    headers = {"Authorization": http.headers["Authorization"]}
    with playing, open_socket(url, additional_headers=headers) as stream:
        stream.send(json.dumps({"type": "start", "context": "c", "voice": "bad:v", "format": "pcm",
                                "text": "Hello there. How are you?", "end": True}))
        sent = 0
        while True:
            message = stream.recv(30)
            if isinstance(message, bytes):
                sent += len(message)
                continue
            message = json.loads(message)
            assert message["type"] != "error", message
            if message["type"] == "done":
                break
    assert sent > 24000 and len(playing.asked) == 1


# --- what it costs


def test_cost_stands_apart(http, far, far_key):
    as_openai(http, far, far_key, price={"per_million": 3000, "currency": "EUR"})
    response = speak(http, "open:slt", "Hello there.")
    row = last_row(http, response)
    assert (row["engine"], row["deployment"], row["voice"]) == ("openai", "open", "open:slt")
    assert row["characters"] == 12
    assert (row["vendor_milli"], row["vendor_currency"]) == (36, "EUR")  # 12 x 3000 / 1000
    plain = last_row(http, speak(http, "slt", "Hello there."))
    assert (plain["vendor_milli"], plain["vendor_currency"], plain["deployment"]) == (0, "", "")
    summary = http.get("/api/usage/summary").json()
    sums = summary["live"] if summary["live"]["requests"] else summary["test"]
    assert sums["requests"] == 2
    assert sums["vendor_costs"] == [{"currency": "EUR", "milli": 36}]
    groups = http.get("/api/usage", params={"group_by": "engine"}).json()["data"]
    assert [(one["engine"], one["vendor_costs"]) for one in groups] == [
        ("flite", []), ("openai", [{"currency": "EUR", "milli": 36}])]
    table = http.get("/api/usage", params={"group_by": "deployment", "format": "csv"}).text
    assert "open,1,0,12," in table and "EUR 36" in table
    rows = http.get("/api/usage", params={"format": "csv"}).text.splitlines()
    assert rows[0].endswith(",live,vendor_milli,vendor_currency") and ",36,EUR" in rows[2]


def test_connections_live_through_a_restart(far, far_key):
    settings = {"VENDORS_ALLOW_PRIVATE_ADDRESSES": "true", "ENGINES_ENABLE": "flite"}
    server = Server(settings=settings)
    try:
        client, _ = client_of(server, "Lasting")
        with client as http:
            as_openai(http, far, far_key)
            assert speak(http, "open:slt", "Hello.").status_code == 200
        server.kill()
        server.start()
        with httpx.Client(base_url=server.url, headers=client.headers, timeout=WAIT) as http:
            assert speak(http, "open:slt", "Hello.").status_code == 200
        # Another key file: the connection is there and says what is wrong.
        server.stop()
        (server.data_dir / "server.key").unlink()
        server.start()
        with httpx.Client(base_url=server.url, headers=client.headers, timeout=WAIT) as http:
            refused(speak(http, "open:slt", "Hello."), 503, "vendor_key_unreadable")
            path = "/api/vendors/" + http.get("/api/vendors").json()["data"][0]["id"]
            assert http.patch(path, json={"api_key": far_key}).status_code == 200
            assert speak(http, "open:slt", "Hello.").status_code == 200
    finally:
        server.close()

