"""The shortest way to know that the product speaks."""

import httpx

from support.audio import align, decode


def test_it_speaks_through_both_doors(http):
    native = http.post("/v1/generate", json={"text": "Hello from my own machine."})
    openai = http.post("/v1/audio/speech",
                       json={"model": "tts-1", "voice": "nova", "input": "Hello from my own machine."})
    for response, name in ((native, "wav"), (openai, "mp3")):
        assert response.status_code == 200
        words = align(decode(response.content, name), ["hello", "from", "my", "own", "machine"])
        assert words and words[-1][0] == "machine"


def test_it_says_what_is_wrong(http):
    assert "5001" in http.post("/v1/generate", json={"text": "a" * 5001}).json()["detail"]


def test_it_shows_its_page(http):
    assert "<textarea" in http.get("/").text


def test_it_stops_cleanly(http, server):
    assert httpx.get(server.url + "/health").status_code == 200
