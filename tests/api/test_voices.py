"""The voice catalogue: its members, one voice, and what it sounds like."""

import concurrent.futures

import pytest

from support.admin import admin, team_with_key
from support.audio import decode
from support.server import Server, wait_until
from support.plugin import checking_client

ROOTS = ("/api/voices", "/api/v1/voices")
MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "opus": "audio/ogg", "flac": "audio/flac",
               "aac": "audio/aac", "pcm": "audio/pcm", "ulaw": "audio/basic",
               "alaw": "audio/PCMA"}


def voices(http, **query):
    return {v["id"]: v for v in http.get("/api/voices", params=query).json()["voices"]}


def test_how_a_voice_is_made_is_told(http):
    every = voices(http)
    assert every["kal16"]["technology"] == "diphone"
    assert {every[name]["technology"] for name in ("slt", "rms", "awb", "alloy")} == {"statistical"}
    assert every["espeak-de"]["technology"] == "formant"
    assert every["slt"]["age"] == "adult" and every["alloy"]["age"] == ""
    assert every["coral"]["style"] == "bright, friendly"
    assert not voices(http, technology="neural")
    assert set(voices(http, technology="diphone")) == {"kal16"}
    assert set(voices(http, technology="statistical", gender="female", engine="flite")) >= {"slt"}


def test_languages_have_their_own_names_and_canonical_tags(http):
    every = voices(http)
    assert every["espeak-de"]["native_language_name"] == "Deutsch"
    assert every["espeak-de"]["language_name"] == "German"
    assert every["espeak-pt-br"]["native_language_name"] == "português (Brasil)"
    assert every["espeak-cmn"]["languages"] == ["zh"]
    assert every["espeak-en-us-nyc"]["languages"] == ["en-US-x-nyc"]
    assert every["espeak-vi-vn-x-central"]["languages"] == ["vi-VN-x-central"]
    assert every["espeak-piqd"]["languages"] == ["tlh"]
    assert "espeak-cmn" in voices(http, language="zh")


def test_what_a_voice_cannot_read_is_told(http):
    every = voices(http)
    assert every["espeak-ja"]["support"] == "limited"
    assert "kanji" in every["espeak-ja"]["description"]
    assert every["espeak-de"]["support"] == "full"
    assert "Limited" not in every["espeak-de"]["description"]


@pytest.mark.parametrize("root", ROOTS)
def test_one_voice_is_as_in_the_list(http, root):
    response = http.get(root + "/espeak-de")
    assert response.json() == voices(http)["espeak-de"]
    assert http.get(response.json()["preview_url"]).status_code == 200
    for path in ("/nobody", "/ESPEAK-DE", "/%2e%2e%2fetc"):
        response = http.get(root + path)
        assert (response.status_code, response.json()["code"]) == (404, "voice_not_found")
    response = http.get(root + "/slt", params={"colour": "red"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "colour"
    assert http.get(root + "/slt", headers={"Accept": "text/html"}).status_code == 406


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_a_preview_in_every_format(http, name):
    response = http.get("/api/voices/slt/preview", params={"format": name})
    assert (response.status_code, response.headers["content-type"]) == (200, MEDIA_TYPES[name])
    rate = {"ulaw": 8000, "alaw": 8000}.get(name, 24000)
    assert 1.5 < decode(response.content, name, rate).seconds < 6


@pytest.mark.parametrize("root", ROOTS)
def test_a_preview_is_kept_by_whoever_has_it(http, root):
    first = http.get(root + "/espeak-fr-fr/preview")
    assert first.headers["content-type"] == "audio/mpeg"
    assert first.headers["cache-control"] == "private, max-age=86400"
    again = http.get(root + "/espeak-fr-fr/preview")
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    same = http.get(root + "/espeak-fr-fr/preview",
                    headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    other = http.get(root + "/espeak-fr-fr/preview", params={"format": "wav"},
                     headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200 and other.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("root", ROOTS)
def test_wrong_previews(http, root):
    response = http.get(root + "/nobody/preview")
    assert (response.status_code, response.json()["code"]) == (404, "voice_not_found")
    for query in ([("format", "midi")], [("format", "")], [("text", "Hello")],
                  [("format", "wav"), ("format", "mp3")]):
        response = http.get(root + "/slt/preview", params=query)
        assert response.status_code == 400, query
        assert response.json()["errors"][0]["parameter"] == query[0][0]
    assert "wav, mp3, opus" in http.get(root + "/slt/preview?format=midi").json()["detail"]


def test_every_voice_has_a_preview(http):
    for voice in voices(http):
        response = http.get(f"/api/voices/{voice}/preview")
        assert response.status_code == 200 and len(response.content) > 2000, voice


@pytest.mark.parametrize("root", ROOTS)
def test_only_so_many_previews_are_spoken_at_once(root):
    server = Server(settings={"ENGINES_ENABLE": "fake,flite", "PREVIEWS_CONCURRENT": "1",
                              "PREVIEWS_CACHE_BYTES": "0"})
    try:
        with checking_client(server.url) as http:
            def preview(_):
                return http.get(root + "/fake-slow/preview")

            with concurrent.futures.ThreadPoolExecutor(3) as threads:
                answers = sorted(threads.map(preview, range(3)), key=lambda a: a.status_code)
            assert [a.status_code for a in answers] == [200, 503, 503]
            assert answers[1].json()["code"] == "previews_busy"
            assert answers[1].headers["retry-after"] == "1"
            assert http.get(root + "/slt/preview").status_code == 200
    finally:
        server.close()


@pytest.mark.parametrize("root, voice", [
    (ROOTS[0], "fake-hang-after-audio"), (ROOTS[1], "fake-stubborn")])
def test_an_engine_that_hangs_is_no_preview(fake_http, root, voice):
    response = fake_http.get(f"{root}/{voice}/preview")
    assert (response.status_code, response.json()["code"]) == (504, "engine_timeout")
    assert "etag" not in response.headers


def test_previews_need_the_scope_and_cost_nothing():
    server = Server()
    try:
        team, key = team_with_key(server, "Acme", "pro")[:2]
        speaker = admin(server, "create-key", team, "--scope", "speech:write")["key"]
        with checking_client(server.url) as http:
            bearer = {"Authorization": f"Bearer {key}"}
            for root in ROOTS:
                for path in ("/slt", "/slt/preview"):
                    assert http.get(root + path).status_code == 401
                    forbidden = http.get(root + path,
                                         headers={"Authorization": f"Bearer {speaker}"})
                    assert (forbidden.status_code, forbidden.json()["code"]) == (
                        403, "missing_scope")
                    assert http.get(root + path, headers=bearer).status_code == 200
            body = {"text": "Good morning.", "voice": "slt"}
            assert http.post("/v1/generate", json=body, headers=bearer).status_code == 200
            rows = wait_until(lambda: http.get("/api/usage", headers=bearer).json()["data"], 20)
            assert [row["route"] for row in rows] == ["/v1/generate"]
    finally:
        server.close()
