"""The team's events: as a stream that loses nothing, and page by page."""

import concurrent.futures
import signal
import uuid

import httpx
import pytest

from support.admin import admin, team_with_key
from support.cluster import Cluster
from support.plugin import checking_client
from support.server import Server, is_ready, wait_until
from support.sse import Stream, follow

ALL = [word for scope in ("speech:read", "admin:read", "admin:write")
       for word in ("--scope", scope)]
PATHS = ["/api/events", "/api/v1/events"]
JSON = {"Accept": "application/json"}
PERIOD = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster()
    cluster.create_database()
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def server(cluster):
    server = Server(settings={"DATABASE_URL": cluster.url(), "EVENTS_HEARTBEAT": "150ms",
                              "EVENTS_STREAMS_PER_TEAM": "3"})
    yield server
    server.close()


@pytest.fixture
def team(server):
    """(team id, its headers)"""
    team, key = team_with_key(server, "Acme", "pro", *ALL)
    return team, {"Authorization": f"Bearer {key}"}


def happen(cluster, team, *resources):
    """Events as any part of the server would append them, one transaction each."""
    ids = []
    for resource in resources:
        ids.append("evt_" + uuid.uuid4().hex)
        cluster.sql("INSERT INTO events (id, team_id, type, resource, live, data) VALUES "
                    f"('{ids[-1][4:]}', '{team[5:]}', 'test.happened', '{resource}', false, "
                    "'{\"n\": 1}')")
    return ids


def resources(messages):
    return [message.data["resource"] for message in messages]


def page(server, headers, path="/api/events", **params):
    with checking_client(server.url) as client:
        return client.get(path, headers={**headers, **JSON}, params=params)


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_brings_what_comes(cluster, server, team, path):
    happen(cluster, team[0], "before")
    with follow(server.url, team[1], path) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream"
        assert stream.response.headers["cache-control"] == "no-store"
        ids = happen(cluster, team[0], "a", "b")
        got = stream.take(2)
    assert [message.id for message in got] == ids
    assert resources(got) == ["a", "b"]
    assert got[0].event == got[0].data["type"] == "test.happened"
    assert got[0].data["data"] == {"n": 1} and got[0].data["actor"] is None


def test_a_stream_resumes_and_filters(cluster, server, team):
    first = happen(cluster, team[0], "a", "b", "c")[0]
    with follow(server.url, team[1], after=first) as stream:
        assert resources(stream.take(2)) == ["b", "c"]
    with follow(server.url, {**team[1], "Last-Event-ID": first}, after="evt_" + "0" * 32) as stream:
        assert resources(stream.take(2)) == ["b", "c"]
    with follow(server.url, team[1], types="job.queued", after=first) as stream:
        job = httpx.post(server.url + "/api/exports", headers=team[1], json=PERIOD).json()
        message, = stream.take(1)
    assert message.data["resource"] == job["id"] and message.event == "job.queued"
    assert message.data["actor"]["kind"] == "key"


def test_two_clients_and_another_team(cluster, server, team):
    other, key = team_with_key(server, "Other", "pro", *ALL)
    with follow(server.url, team[1]) as one, follow(server.url, team[1]) as two, \
            follow(server.url, {"Authorization": f"Bearer {key}"}) as foreign:
        happen(cluster, team[0], "a")
        happen(cluster, other, "theirs")
        happen(cluster, team[0], "b")
        assert resources(one.take(2)) == resources(two.take(2)) == ["a", "b"]
        assert resources(foreign.take(1)) == ["theirs"]


def test_a_silent_stream_beats(server, team):
    with follow(server.url, team[1]) as stream:
        for _ in stream.response.iter_raw():
            stream.comments += 1
            if stream.comments == 4:
                break


@pytest.mark.parametrize("path", PATHS)
def test_pages(cluster, server, team, path):
    ids = happen(cluster, team[0], *"abcde")
    got = page(server, team[1], path, limit=2, types="test.happened").json()
    assert [event["resource"] for event in got["data"]] == ["a", "b"]
    assert got["next_cursor"] == ids[1]
    got = page(server, team[1], path, limit=3, cursor=got["next_cursor"]).json()
    assert [event["resource"] for event in got["data"]] == ["c", "d", "e"]
    assert got["next_cursor"] is None
    got = page(server, team[1], path, order="desc", cursor=ids[2]).json()
    assert [event["resource"] for event in got["data"]][:2] == ["b", "a"]
    got = page(server, team[1], path, types="nothing.such").json()
    assert got == {"data": [], "next_cursor": None}


@pytest.mark.parametrize("path", PATHS)
def test_what_is_refused(cluster, server, team, path):
    for params in ({"after": "evt_1"}, {"after": "job_" + "0" * 32}, {"types": "x"},
                   {"types": ""}, {"types": "a.b,"}, {"limit": 5}, {"order": "asc"},
                   {"cursor": "evt_" + "0" * 32}, {"colour": "red"}):
        with follow(server.url, team[1], path, **params) as response:
            assert response.status_code == 400, params
    with follow(server.url, {**team[1], "Last-Event-ID": "x"}, path) as response:
        assert response.status_code == 400
    for params in ({"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"order": "up"},
                   {"cursor": "x"}, {"cursor": "evt_" + "0" * 32, "after": "evt_" + "0" * 32}):
        assert page(server, team[1], path, **params).status_code == 400, params
    foreign = happen(cluster, admin(server, "create-team", "Foreign")["id"], "theirs")[0]
    for unknown in ("evt_" + "0" * 32, foreign):
        with follow(server.url, team[1], path, after=unknown) as response:
            assert (response.status_code, response.json()["code"]) == (410, "events_expired")
        assert page(server, team[1], path, cursor=unknown).status_code == 410
    with checking_client(server.url) as client:
        assert client.get(path).status_code == 401
        assert client.get(path, headers={**team[1], "Accept": "image/png"}).status_code == 406
        key = admin(server, "create-key", team[0], "--scope", "speech:write")["key"]
        weak = client.get(path, headers={"Authorization": f"Bearer {key}"})
        assert (weak.status_code, weak.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize("path", PATHS)
def test_streams_of_a_team_are_bounded(server, team, path):
    with follow(server.url, team[1], path), follow(server.url, team[1], path):
        with follow(server.url, team[1], path):
            with follow(server.url, team[1], path) as response:
                assert response.status_code == 429
                assert response.json()["code"] == "too_many_streams"
                assert "retry-after" in response.headers

        def has_room():
            with follow(server.url, team[1], path) as stream:
                return not isinstance(stream, httpx.Response)
        wait_until(has_room, what="the room of a stream that ended")


def test_a_slow_transaction_is_waited_for(cluster, server, team):
    """What was appended first comes first, though it is committed last."""
    import subprocess
    slow = subprocess.Popen(["psql", cluster.url(), "-qAt", "-v", "ON_ERROR_STOP=1"], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    insert = ("INSERT INTO events (id, team_id, type, resource, live, data) VALUES "
              f"(gen_random_uuid(), '{team[0][5:]}', 'test.happened', 'slow', false, '{{}}');\n")
    slow.stdin.write("BEGIN;\n" + insert + "SELECT 'appended';\n")
    slow.stdin.flush()
    assert slow.stdout.readline().strip() == "appended"
    with follow(server.url, team[1]) as stream:
        happen(cluster, team[0], "fast")
        assert [e["resource"] for e in page(server, team[1]).json()["data"]
                if e["type"] == "test.happened"] == []
        slow.stdin.write("COMMIT;\n")
        slow.stdin.close()
        assert resources(stream.take(2)) == ["slow", "fast"]
    assert slow.wait(10) == 0


def test_nothing_is_lost_when_the_server_is_killed(cluster):
    """A client that comes back with the last id it saw gets every event once, in order."""
    cluster.create_database("killed")
    running = Server(settings={"DATABASE_URL": cluster.url("killed")})
    try:
        team, key = team_with_key(running, "Acme", "pro", *ALL)
        headers = {"Authorization": f"Bearer {key}"}
        made, seen = [], []
        last = None
        for round in range(4):
            with follow(running.url, {**headers, **({"Last-Event-ID": last} if last else {})},
                        types="job.queued") as stream:
                for _ in range(3):
                    made.append(httpx.post(running.url + "/api/exports", headers=headers,
                                           json=PERIOD).json()["id"])
                got = stream.take(len(made) - len(seen) - (1 if round < 3 else 0))
                seen += resources(got)
                last = got[-1].id if got else last
                running.kill()
            running.start()
            wait_until(lambda: is_ready(running.url))
        assert seen == made[:-1] or seen == made
        with follow(running.url, {**headers, "Last-Event-ID": last}, types="job.queued") as stream:
            extra = httpx.post(running.url + "/api/exports", headers=headers, json=PERIOD)
            rest = stream.take(len(made) - len(seen) + 1)
        assert seen + resources(rest) == made + [extra.json()["id"]]
    finally:
        running.close()


def test_streams_end_well_when_the_server_stops():
    running = Server(settings={"EVENTS_HEARTBEAT": "1s"})
    wait_until(lambda: is_ready(running.url))
    with follow(running.url) as stream, concurrent.futures.ThreadPoolExecutor() as pool:
        assert isinstance(stream, Stream), stream.text
        ended = pool.submit(list, stream)  # raises when the last chunk is missing
        running.process.send_signal(signal.SIGTERM)
        assert ended.result(10) == []
    assert running.stop() == 0
    running.close()


def test_events_are_counted(cluster, server, team):
    happen(cluster, team[0], "counted")
    operator = {"Authorization": "Bearer " + admin(server, "create-key", team[0], *ALL)["key"]}

    def is_counted():
        text = httpx.get(server.url + "/metrics", headers=operator).text
        return 'voiceflow_events_total{type="test.happened"}' in text
    wait_until(is_counted, what="the count of events")
