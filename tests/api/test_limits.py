"""What a plan allows, in the dialect of each route: text, how much at once, how much a month."""

import concurrent.futures
import threading

import httpx
import pytest

from support.admin import admin, team_with_key
from support.cluster import Cluster
from support.server import Server, wait_until

SPEECH_ROUTES = ["/v1/generate", "/v1/generate/stream", "/generate", "/generate/stream",
                 "/v1/audio/speech"]
TINY = """
[[plan]]
id = "tiny"
name = "Tiny"
tier = "free"
currency = "USD"
price_minor = 0
requests = {requests}
quality = "standard"
text_characters = 40

[[plan]]
id = "alone"
name = "Alone"
tier = "free"
currency = "USD"
price_minor = 0
concurrency = 1
quality = "standard"

[[plan]]
id = "over"
name = "Over"
tier = "paid"
currency = "USD"
price_minor = 100
requests = 2
over_request_milli = 100
quality = "standard"
"""
REQUESTS = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(settings={"ENGINES_ENABLE": "fake,flite"})
    catalogue = tmp_path_factory.mktemp("plans") / "small.toml"
    catalogue.write_text(TINY.format(requests=REQUESTS))
    assert admin(server, "load-plans", catalogue)["plans"] == 3
    yield server
    server.close()


def send(server, route, key, text="Hi there.", voice="slt"):
    body = ({"model": "tts-1", "input": text, "voice": voice, "response_format": "pcm"}
            if "audio" in route else {"text": text, "voice": voice, "format": "pcm"})
    return httpx.post(server.url + route, json=body, headers={"Authorization": f"Bearer {key}"},
                      timeout=60)


def error_of(response):
    body = response.json()
    return body["error"] if "error" in body else body


def test_the_allowance_of_a_free_plan_stops(server):
    _, key = team_with_key(server, "Stops", "tiny")
    for _ in range(REQUESTS):
        assert send(server, "/v1/generate", key).status_code == 200
    for route in SPEECH_ROUTES:
        response = send(server, route, key)
        error = error_of(response)
        if "audio" in route:  # what OpenAI's clients understand
            assert response.status_code == 429
            assert (error["type"], error["code"]) == ("insufficient_quota", "insufficient_quota")
            assert response.headers["x-should-retry"] == "false"
        else:
            assert (response.status_code, error["code"]) == (402, "allowance_used_up")
            assert str(REQUESTS) in error["detail"]


def test_an_allowance_is_exact_under_a_rush(server):
    _, key = team_with_key(server, "Rush", "tiny")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda n: send(server, "/v1/generate", key).status_code,
                                 range(4 * REQUESTS)))
    assert statuses.count(200) == REQUESTS and set(statuses) == {200, 402}


def test_a_refused_or_failed_request_uses_nothing(server):
    _, key = team_with_key(server, "Careful", "tiny")
    for _ in range(2 * REQUESTS):
        assert send(server, "/v1/generate", key, voice="nobody").status_code == 400
        assert send(server, "/v1/generate", key, text="x" * 41).status_code == 400
    assert send(server, "/v1/generate", key, text="This breaks.", voice="fake-crash"
                ).status_code >= 500
    for _ in range(REQUESTS):
        assert send(server, "/v1/generate", key).status_code == 200
    assert send(server, "/v1/generate", key).status_code == 402


@pytest.mark.parametrize("route", SPEECH_ROUTES)
def test_text_beyond_the_plan_is_named(server, route):
    _, key = team_with_key(server, f"Long {route}", "tiny")
    response = send(server, route, key, text="x" * 41)
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "text_too_long")
    assert "40" in (error.get("detail") or error["message"])


def test_one_at_a_time(server):
    _, key = team_with_key(server, "Alone", "alone")
    _, other = team_with_key(server, "Beside", "alone")
    begun = threading.Event()

    def slow():
        with httpx.stream("POST", server.url + "/v1/generate/stream",
                          json={"text": "A sentence. " * 60, "voice": "slt", "format": "pcm"},
                          headers={"Authorization": f"Bearer {key}"}, timeout=60) as response:
            for _ in response.iter_raw():
                begun.set()
                refused.wait(30)

    refused = threading.Event()
    thread = threading.Thread(target=slow)
    thread.start()
    try:
        assert begun.wait(30)
        for route in SPEECH_ROUTES:
            response = send(server, route, key)
            assert response.status_code == 429
            assert error_of(response)["code"] == "too_many_concurrent_requests"
            assert int(response.headers["Retry-After"]) >= 1
        assert send(server, "/v1/generate", other).status_code == 200
    finally:
        refused.set()
        thread.join()
    wait_until(lambda: send(server, "/v1/generate", key).status_code == 200, 10)


def test_a_paid_plan_goes_on_and_counts(server):
    team, key = team_with_key(server, "Over", "over")
    for _ in range(5):
        assert send(server, "/v1/generate", key).status_code == 200

    def summary():
        response = httpx.get(server.url + "/api/usage/summary",
                             headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == 200
        return "300" in response.text and response.json()
    assert wait_until(summary, 10, "three requests at 100 thousandths each")


def test_a_spending_bound_holds(server):
    team, key = team_with_key(server, "Bounded", "over")
    admin(server, "set-spending-bound", team, "0")
    statuses = [send(server, "/v1/generate", key).status_code for _ in range(4)]
    assert statuses == [200, 200, 402, 402]
    assert error_of(send(server, "/v1/generate", key))["code"] == "spending_bound_reached"
    admin(server, "set-spending-bound", team, "1")
    wait_until(lambda: send(server, "/v1/generate", key).status_code == 200, 10, "the new bound")


@pytest.fixture
def two_nodes(tmp_path):
    cluster = Cluster()
    cluster.create_database()
    settings = {"DATABASE_URL": cluster.url(), "SECRETS_KEY_FILE": str(tmp_path / "server.key")}
    servers = [Server(settings=settings) for _ in range(2)]
    yield cluster, servers
    for server in servers:
        server.close()
    cluster.close()


def test_two_nodes_share_one_allowance_and_one_revocation(two_nodes, tmp_path):
    _, (first, second) = two_nodes
    catalogue = tmp_path / "small.toml"
    catalogue.write_text(TINY.format(requests=40))
    admin(first, "load-plans", catalogue)
    team, key = team_with_key(first, "Both", "tiny")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(
            lambda n: send((first, second)[n % 2], "/v1/generate", key).status_code, range(120)))
    assert statuses.count(200) <= 40
    assert set(statuses) <= {200, 402}
    made = admin(first, "create-key", team)
    for server in (first, second):
        assert httpx.get(server.url + "/v1/models", headers={
            "Authorization": f"Bearer {made['key']}"}).status_code == 200
    admin(second, "revoke-key", made["id"])
    for server in (first, second):
        wait_until(lambda s=server: httpx.get(s.url + "/v1/models", headers={
            "Authorization": f"Bearer {made['key']}"}).status_code == 401, 3, "the revocation")


def test_a_full_journal_refuses_before_it_breaks(tmp_path):
    cluster = Cluster()
    cluster.create_database()
    server = Server(settings={"DATABASE_URL": cluster.url(), "USAGE_MAX_UNSHIPPED": "64KiB"})
    try:
        _, key = team_with_key(server, "Full", "enterprise")
        assert send(server, "/v1/generate", key).status_code == 200
        cluster.stop()

        def refused():
            response = send(server, "/v1/generate", key)
            assert response.status_code in (200, 507), response.text
            return response.status_code == 507
        wait_until(refused, 120, "the full journal")
        for route in SPEECH_ROUTES:
            response = send(server, route, key)
            assert (response.status_code, error_of(response)["code"]) == (507, "journal_full")
        cluster.start()
        wait_until(lambda: send(server, "/v1/generate", key).status_code == 200, 30, "room again")
    finally:
        server.close()
        cluster.close()
