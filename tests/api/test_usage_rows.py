"""Every speech leaves one row, with what it was."""

import json

import httpx
import pytest

from support.admin import admin, team_with_key
from support.server import Server, wait_until


@pytest.fixture(scope="module")
def server():
    server = Server(settings={"ENGINES_ENABLE": "fake,flite", "USAGE_SHIP_INTERVAL": "50ms"})
    yield server
    server.close()


@pytest.fixture(scope="module")
def acme(server):
    return team_with_key(server, "Acme", "pro")


def rows_of(server, key, count):
    def there():
        response = httpx.get(server.url + "/api/usage", headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == 200, response.text
        rows = response.json()["data"]
        return len(rows) >= count and rows
    return wait_until(there, 10, f"{count} rows")


def speak(server, key, route, text="Good morning, everyone.", **more):
    body = ({"model": "tts-1", "input": text, "voice": "alloy", **more} if "audio" in route else
            {"text": text, "voice": "slt", "format": "pcm", **more})
    return httpx.post(server.url + route, json=body, headers={"Authorization": f"Bearer {key}"},
                      timeout=30)


@pytest.mark.parametrize("route, streamed", [
    ("/v1/generate", False), ("/v1/generate/stream", True), ("/v1/audio/speech", True)])
def test_a_row_says_what_it_was(server, route, streamed):
    team, key = team_with_key(server, f"Row of {route}", "pro")
    response = speak(server, key, route)
    assert response.status_code == 200
    row = rows_of(server, key, 1)[0]
    assert row["id"] == response.headers["X-VoiceFlow-Operation"]
    assert row["route"] == route
    assert row["characters"] == len("Good morning, everyone.")
    assert row["bytes"] == len(response.content)
    assert row["status"] == 200 and row["delivery"] == "complete" and row["live"] is True
    assert row["engine"] == "flite" and row["voice"] == ("alloy" if "audio" in route else "slt")
    assert row["model"] == ("tts-1" if "audio" in route else "")
    assert row["streamed"] is streamed
    assert 500 < row["audio_ms"] < 5000 and row["engine_ms"] > 0


def test_a_failure_has_a_row_that_costs_nothing(server):
    _, key = team_with_key(server, "Failing", "pro")
    response = speak(server, key, "/v1/generate", "This breaks.", voice="fake-crash")
    assert response.status_code >= 500
    row = rows_of(server, key, 1)[0]
    assert (row["characters"], row["delivery"], row["charge_milli"]) == (0, "failed", 0)
    assert row["status"] == response.status_code


def test_a_client_that_leaves_is_charged_for_what_was_on_its_way(server):
    _, key = team_with_key(server, "Leaving", "pro")
    text = "A sentence that takes a little while to say. " * 40
    with httpx.stream("POST", server.url + "/v1/generate/stream",
                      json={"text": text, "voice": "slt", "format": "pcm"},
                      headers={"Authorization": f"Bearer {key}"}) as response:
        next(response.iter_raw())
    row = rows_of(server, key, 1)[0]
    assert row["delivery"] == "aborted"
    assert 0 < row["characters"] < len(text)


def test_refused_requests_leave_no_row(server):
    _, key = team_with_key(server, "Refused", "pro")
    assert speak(server, key, "/v1/generate", voice="nobody").status_code == 400
    assert speak(server, key, "/v1/generate", "").status_code == 400
    assert speak(server, key, "/v1/generate").status_code == 200
    assert len(rows_of(server, key, 1)) == 1


def test_a_test_key_is_never_charged(server, acme):
    key = admin(server, "create-key", acme[0], "--test")["key"]
    assert speak(server, key, "/v1/generate").status_code == 200
    rows = [row for row in rows_of(server, key, 1) if not row["live"]]
    assert rows and rows[0]["charge_milli"] == 0


def test_another_teams_rows_are_not_there(server, acme):
    _, other = team_with_key(server, "Other", "pro")
    assert speak(server, acme[1], "/v1/generate").status_code == 200
    rows_of(server, acme[1], 1)
    mine = httpx.get(server.url + "/api/usage", headers={"Authorization": f"Bearer {other}"})
    assert mine.json()["data"] == []


def test_the_text_is_in_no_row_and_no_log(server, acme):
    secret = "Xylophones quietly negotiate"
    assert speak(server, acme[1], "/v1/generate", secret).status_code == 200
    rows = rows_of(server, acme[1], 1)
    assert secret not in json.dumps(rows)
    assert not any("Xylophones" in line for line in server.log)
    journal = b"".join(p.read_bytes() for p in (server.data_dir / "journal").iterdir() if p.is_file())
    assert b"Xylophones" not in journal
