"""PostgreSQL goes away under load: speech goes on, the journal carries on, nothing is lost."""

import concurrent.futures
import time

import httpx
import pytest

from support.admin import admin, team_with_key
from support.cluster import Cluster
from support.server import Server, wait_until

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def cluster():
    cluster = Cluster()
    cluster.create_database()
    yield cluster
    cluster.close()


def rows(cluster):
    return {line[0] for line in cluster.sql(
        "SELECT 'op_' || replace(id::text, '-', '') FROM usage_rows WHERE status = 200")}


def speak_for(server, key, seconds):
    """Operations of the replies, all of which must be good."""
    end = time.monotonic() + seconds

    def work(_):
        seen = []
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"},
                          timeout=20) as client:
            while time.monotonic() < end:
                reply = client.post("/v1/generate", json={
                    "text": "Still here.", "voice": "fake-tone", "format": "pcm"})
                assert reply.status_code == 200, reply.text
                seen.append(reply.headers["X-VoiceFlow-Operation"])
        return seen
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [operation for seen in pool.map(work, range(4)) for operation in seen]


@pytest.mark.parametrize("kind", ["stopped", "killed"])
def test_rows_wait_in_the_journal(cluster, request, kind):
    seconds = 600 if request.config.getoption("--all") else 30
    server = Server(settings={"DATABASE_URL": cluster.url(), "ENGINES_ENABLE": "fake",
                              "LOG_LEVEL": "warning"})
    try:
        _, key = team_with_key(server, "Patient", "enterprise")
        seen = speak_for(server, key, 1)
        (cluster.stop if kind == "stopped" else cluster.kill)()
        away = speak_for(server, key, seconds)
        assert len(away) > 10 * seconds
        # What needs the database says so meanwhile.
        reply = httpx.get(server.url + "/api/usage", headers={"Authorization": f"Bearer {key}"})
        assert reply.status_code == 503 and int(reply.headers["Retry-After"]) >= 1
        cluster.start()
        seen += away
        wait_until(lambda: rows(cluster) >= set(seen), 30, "every row")
        assert rows(cluster) == set(seen)
        used = cluster.sql("SELECT used FROM budgets WHERE metric = 'requests' AND live "
                           "AND subject = 'billing'")
        assert [int(line[0]) for line in used] == [len(seen)]
    finally:
        server.close()


def test_a_hard_bound_is_not_passed_while_the_database_is_away(cluster, tmp_path):
    """Without a lease at hand nobody knows what is left: refused, with a time to come back."""
    server = Server(settings={"DATABASE_URL": cluster.url(), "ENGINES_ENABLE": "fake",
                              "LOG_LEVEL": "warning"})
    catalogue = tmp_path / "hard.toml"
    catalogue.write_text('[[plan]]\nid = "hard"\nname = "Hard"\ntier = "free"\ncurrency = "USD"\n'
                         'price_minor = 0\nrequests = 40\nquality = "standard"\n')
    try:
        admin(server, "load-plans", catalogue)
        _, key = team_with_key(server, "Hard", "hard")

        def speak():
            return httpx.post(server.url + "/v1/generate", headers={"Authorization": f"Bearer {key}"},
                              json={"text": "Hi.", "voice": "fake-tone", "format": "pcm"})
        assert speak().status_code == 200
        cluster.stop()
        replies = [speak() for _ in range(60)]
        served = sum(reply.status_code == 200 for reply in replies)
        assert served <= 39
        refused = [reply for reply in replies if reply.status_code != 200]
        assert {reply.status_code for reply in refused} == {503}
        assert {reply.json()["code"] for reply in refused} == {"budget_unavailable"}
        assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)
        cluster.start()
        wait_until(lambda: speak().status_code == 200, 20, "the database")
    finally:
        server.close()
