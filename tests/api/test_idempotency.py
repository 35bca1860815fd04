"""A request sent again with its Idempotency-Key is answered again, and charged once."""

import concurrent.futures
import uuid

import httpx
import pytest

from support.admin import team_with_key
from support.server import Server, wait_until

ROUTES = ["/v1/generate", "/v1/generate/stream", "/generate", "/generate/stream",
          "/v1/audio/speech"]


@pytest.fixture(scope="module")
def server():
    server = Server(settings={"ENGINES_ENABLE": "fake,flite", "USAGE_SHIP_INTERVAL": "50ms",
                              "IDEMPOTENCY_MAX_BYTES": "1MiB"})
    yield server
    server.close()


@pytest.fixture
def key(server):
    return team_with_key(server, f"Team {uuid.uuid4().hex[:8]}", "pro")[1]


def send(server, key, route, idempotency_key, text="Say it once.", **more):
    body = ({"model": "tts-1", "input": text, "voice": "alloy", **more} if "audio" in route else
            {"text": text, "voice": "slt", "format": "mp3", **more})
    return httpx.post(server.url + route, json=body, timeout=60, headers={
        "Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key})


def operations(server, key):
    response = httpx.get(server.url + "/api/usage", headers={"Authorization": f"Bearer {key}"})
    return {row["id"]: row for row in response.json()["data"]}


def error_of(response):
    body = response.json()
    return body["error"] if "error" in body else body


@pytest.mark.parametrize("route", ROUTES)
def test_the_same_request_has_the_same_answer_and_one_row(server, key, route):
    first = send(server, key, route, "retry-1")
    again = send(server, key, route, "retry-1")
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    for name in ("Content-Type", "X-VoiceFlow-Operation", "X-VoiceFlow-Voice"):
        assert first.headers[name] == again.headers[name]
    other = send(server, key, route, "retry-2")
    assert other.headers["X-VoiceFlow-Operation"] != first.headers["X-VoiceFlow-Operation"]
    rows = wait_until(lambda: len(r := operations(server, key)) == 2 and r, 10, "two rows")
    assert set(rows) == {first.headers["X-VoiceFlow-Operation"],
                         other.headers["X-VoiceFlow-Operation"]}


@pytest.mark.parametrize("route", ROUTES)
def test_a_key_is_for_one_request_only(server, key, route):
    assert send(server, key, route, "mine").status_code == 200
    for response in (send(server, key, route, "mine", "Something else."),
                     send(server, key, route, "mine", speed=1.5),
                     send(server, key, "/v1/generate?again", "mine")):
        assert (response.status_code, error_of(response)["code"]) == (409, "idempotency_key_reused")


def test_two_teams_do_not_share_keys(server, key):
    other = team_with_key(server, "Another", "pro")[1]
    first, second = (send(server, k, "/v1/generate", "common") for k in (key, other))
    assert first.status_code == second.status_code == 200
    assert "Idempotent-Replayed" not in second.headers


def test_many_at_once_are_one(server, key):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: send(server, key, "/v1/generate", "rush"), range(8)))
    assert {r.status_code for r in replies} <= {200, 409}
    for reply in replies:
        if reply.status_code == 409:
            assert error_of(reply)["code"] == "idempotency_in_progress"
            assert int(reply.headers["Retry-After"]) >= 1
    assert len({r.headers["X-VoiceFlow-Operation"] for r in replies if r.status_code == 200}) == 1
    rows = wait_until(lambda: operations(server, key), 10, "the row")
    assert len(rows) == 1


def test_a_failed_request_is_tried_again(server, key):
    failed = send(server, key, "/v1/generate", "again", voice="nobody")
    assert failed.status_code == 400
    assert send(server, key, "/v1/generate", "again", voice="nobody").status_code == 400


@pytest.mark.parametrize("bad", ["", "x" * 256, "with space"])
def test_a_bad_key_is_named(server, key, bad):
    response = send(server, key, "/v1/generate", bad)
    assert (response.status_code, error_of(response)["code"]) == (400, "invalid_idempotency_key")


def test_an_answer_too_large_to_keep_is_made_again_and_charged_once(server, key):
    text = "A sentence of some length, to be spoken as plain samples. " * 15
    first = send(server, key, "/v1/generate", "large", text, format="pcm")
    again = send(server, key, "/v1/generate", "large", text, format="pcm")
    assert first.status_code == again.status_code == 200
    assert len(first.content) > 1 << 20
    assert first.headers["X-VoiceFlow-Operation"] == again.headers["X-VoiceFlow-Operation"]
    rows = wait_until(lambda: operations(server, key), 10, "the row")
    assert len(rows) == 1


def test_a_client_that_leaves_finds_all_of_it_later(server, key):
    """Once paid in full, whatever it received the first time."""
    text = "A sentence that takes a little while to say. " * 12

    def ask():
        return httpx.stream("POST", server.url + "/v1/generate/stream", json={
            "text": text, "voice": "slt", "format": "mp3"}, timeout=60, headers={
            "Authorization": f"Bearer {key}", "Idempotency-Key": "left"})
    with ask() as response:
        operation = response.headers["X-VoiceFlow-Operation"]
        next(response.iter_raw())

    def done():
        with ask() as again:
            assert again.status_code in (200, 409)
            return again.status_code == 200 and (again.headers, again.read())
    headers, body = wait_until(done, 20, "the stored answer")
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["X-VoiceFlow-Operation"] == operation
    whole = send(server, key, "/v1/generate/stream", "fresh", text)
    assert abs(len(body) - len(whole.content)) < 0.02 * len(body)  # the voice has some noise
    rows = wait_until(lambda: len(r := operations(server, key)) == 2 and r, 10, "both rows")
    assert rows[operation]["characters"] == len(text)


def test_a_killed_server_answers_the_retry_and_charges_once():
    server = Server(settings={"USAGE_SHIP_INTERVAL": "50ms"})
    try:
        key = team_with_key(server, "Crash", "pro")[1]
        first = send(server, key, "/v1/generate", "crash")
        server.kill()
        server.start()
        again = send(server, key, "/v1/generate", "crash")
        assert again.status_code == 200 and again.content == first.content
        assert again.headers["Idempotent-Replayed"] == "true"
        rows = wait_until(lambda: operations(server, key), 10, "the row")
        assert len(rows) == 1
    finally:
        server.close()
