"""Background jobs: followed, cancelled, tried again, deleted; exports, which are jobs."""

import json
import uuid

import httpx
import pytest

from support.admin import admin, team_with_key
from support.cluster import Cluster
from support.plugin import checking_client
from support.server import Server, is_ready, wait_until

ALL = [word for scope in ("speech:read", "speech:write", "admin:read", "admin:write")
       for word in ("--scope", scope)]
PREFIXES = ["/api", "/api/v1"]
PERIOD = {"from": "2020-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster()
    cluster.create_database()
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def server(cluster):
    server = Server(settings={"DATABASE_URL": cluster.url(), "JOBS_OPEN_PER_TEAM": "5"})
    yield server
    server.close()


@pytest.fixture
def team(server):
    team, key = team_with_key(server, "Acme", "pro", *ALL)
    return team, {"Authorization": f"Bearer {key}"}


@pytest.fixture
def http(server, team):
    with checking_client(server.url, headers=team[1]) as client:
        yield client


def put(cluster, team, state="queued", payload="'x'", kind="of_nobody"):
    """A job of a kind that no worker has, in the state that a test needs."""
    ended = state not in ("queued", "running")
    held = state == "running"
    job = "job_" + uuid.uuid4().hex
    cluster.sql(
        "INSERT INTO jobs (id, team_id, kind, state, live, payload, payload_expires_at, "
        "keep_payload, keep_result, max_attempts, run_at, holder, lease_until, finished_at) VALUES "
        f"('{job[4:]}', '{team[5:]}', '{kind}', '{state}', false, {payload}, "
        "now() + interval '1 hour', interval '1 hour', interval '1 hour', 5, now(), "
        + ("'h', now() + interval '1 hour', " if held else "NULL, NULL, ")
        + ("now())" if ended else "NULL)"))
    return job


def until(http, path, state):
    def reached():
        job = http.get(path).json()
        return job if job["state"] == state else None
    return wait_until(reached, what=f"{path} {state}")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_export_from_end_to_end(http, team, prefix):
    response = http.post(prefix + "/exports", json=PERIOD)
    assert response.status_code == 202
    job = response.json()
    assert job["kind"] == "team_export" and job["key_id"].startswith("key_")
    assert response.headers["location"] == "/api/jobs/" + job["id"]
    path = f"{prefix}/jobs/{job['id']}"
    done = until(http, path, "succeeded")
    assert done["attempt"] == 1 and done["progress"] == 1 and done["error"] is None
    result = http.get(path + "/result")
    assert result.status_code == 200
    assert result.headers["content-type"] == "application/x-ndjson"
    events = [json.loads(line) for line in result.text.splitlines()]
    assert "job.queued" in [event["type"] for event in events]
    assert {"id", "type", "resource", "data"} <= set(events[0])
    assert job["id"] in [row["id"] for row in http.get(prefix + "/jobs").json()["data"]]
    assert http.get(prefix + "/jobs", params={"kind": "of_nobody"}).json()["data"] == []
    http.delete(path)
    assert http.get(path).status_code == 404


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("body", [
    {}, {"from": "2020-01-01T00:00:00Z"}, {**PERIOD, "more": 1}, {**PERIOD, "from": "yesterday"},
    {**PERIOD, "from": "2020-02-30T00:00:00Z"}, {**PERIOD, "to": "2020-01-01T24:00:00Z"},
    {**PERIOD, "to": PERIOD["from"]}, {**PERIOD, "from": "2020-01-01T00:00:00+01:00"},
    {**PERIOD, "from": "2020-01-01T00:00:00.1234Z"}, {**PERIOD, "from": 7}])
def test_a_wrong_period(http, prefix, body):
    response = http.post(prefix + "/exports", json=body)
    assert response.status_code == 400 and response.json()["errors"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_pages_and_filters(cluster, http, team, prefix):
    jobs = [put(cluster, team[0], state) for state in ("queued", "dead", "failed")]
    for state, job in zip(("queued", "dead", "failed"), jobs):
        found = http.get(prefix + "/jobs", params={"state": state}).json()["data"]
        assert [row["id"] for row in found] == [job]
    seen, cursor = [], None
    for _ in range(3):
        got = http.get(prefix + "/jobs", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        seen += [row["id"] for row in got.json()["data"]]
        cursor = got.json()["next_cursor"]
    assert cursor is None and sorted(seen) == sorted(jobs)
    for params in ({"state": "lost"}, {"limit": 0}, {"cursor": "x"}, {"kind": ""}, {"x": 1}):
        assert http.get(prefix + "/jobs", params=params).status_code == 400, params
    assert http.get(f"{prefix}/jobs/{jobs[0]}", params={"x": 1}).status_code == 400
    assert http.get(f"{prefix}/jobs/{jobs[0]}/result", params={"x": 1}).status_code == 400
    for path in (prefix + "/jobs", f"{prefix}/jobs/{jobs[0]}"):
        assert http.get(path, headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("prefix", PREFIXES)
def test_cancel_retry_delete(cluster, http, team, prefix):
    job = f"{prefix}/jobs/{put(cluster, team[0])}"
    assert http.post(job + "/retry").status_code == 409
    response = http.post(job + "/cancel")
    assert (response.status_code, response.json()["state"]) == (202, "cancelled")
    response = http.post(job + "/cancel")
    assert (response.status_code, response.json()["code"]) == (409, "job_finished")
    assert http.get(job + "/result").json()["code"] == "job_result_missing"
    response = http.post(job + "/retry")
    assert (response.status_code, response.json()["state"]) == (202, "queued")
    running = f"{prefix}/jobs/{put(cluster, team[0], 'running')}"
    assert http.delete(running).json()["code"] == "job_running"
    response = http.post(running + "/cancel")
    assert response.status_code == 202 and response.json()["cancel_requested"]
    assert http.delete(job).status_code == 204
    assert http.get(job).status_code == 404
    empty = f"{prefix}/jobs/{put(cluster, team[0], 'dead', payload='NULL')}"
    response = http.post(empty + "/retry")
    assert (response.status_code, response.json()["code"]) == (410, "job_payload_expired")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_expired_result(cluster, http, team, prefix):
    job = put(cluster, team[0], "succeeded", payload="NULL")
    response = http.get(f"{prefix}/jobs/{job}/result")
    assert (response.status_code, response.json()["code"]) == (410, "job_result_expired")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_open_jobs_are_bounded(cluster, http, team, prefix):
    dead = put(cluster, team[0], "dead")
    for _ in range(5):
        put(cluster, team[0])
    response = http.post(prefix + "/exports", json=PERIOD)
    assert (response.status_code, response.json()["code"]) == (429, "too_many_jobs")
    assert "retry-after" in response.headers
    assert http.post(f"{prefix}/jobs/{dead}/retry").status_code == 429


@pytest.mark.parametrize("prefix", PREFIXES)
def test_another_teams_jobs_are_not_there(cluster, server, http, prefix):
    foreign = put(cluster, admin(server, "create-team", "Other")["id"], "dead")
    for job in (foreign, "job_" + "0" * 32, "job_1", "evt_" + "0" * 32):
        path = f"{prefix}/jobs/{job}"
        for response in (http.get(path), http.get(path + "/result"), http.delete(path),
                         http.post(path + "/cancel"), http.post(path + "/retry")):
            assert (response.status_code, response.json()["code"]) == (404, "job_not_found")
    assert http.get(prefix + "/jobs").json()["data"] == []
    assert cluster.sql(f"SELECT state FROM jobs WHERE id = '{foreign[4:]}'") == [["dead"]]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_who_may(server, team, prefix):
    job = f"{prefix}/jobs/job_{'0' * 32}"
    calls = [("GET", prefix + "/jobs"), ("GET", job), ("GET", job + "/result"), ("DELETE", job),
             ("POST", job + "/cancel"), ("POST", job + "/retry"), ("POST", prefix + "/exports")]
    key = admin(server, "create-key", team[0], "--scope", "voices:read")["key"]
    with checking_client(server.url) as client:
        for method, path in calls:
            body = PERIOD if path.endswith("/exports") else None
            assert client.request(method, path, json=body).status_code == 401
            weak = client.request(method, path, json=body,
                                  headers={"Authorization": f"Bearer {key}"})
            assert weak.status_code == 403
        strong = {"Authorization": "Bearer " + admin(server, "create-key", team[0], *ALL)["key"]}
        assert client.post(prefix + "/exports", headers={**strong, "Content-Type": "text/plain"},
                           content="x").status_code == 415
        assert client.post(prefix + "/exports", json=PERIOD,
                           headers={**strong, "Accept": "image/png"}).status_code == 406


def test_jobs_wait_for_the_next_start_and_stay_unreadable(cluster, server, team):
    """What is queued while no server works is done by the next one, also after a kill."""
    cluster.create_database("restarted")
    running = Server(settings={"DATABASE_URL": cluster.url("restarted"), "JOBS_POLL": "100ms"})
    try:
        _, key = team_with_key(running, "Acme", "pro", *ALL)
        headers = {"Authorization": f"Bearer {key}"}
        # None can end before the kill, however fast the worker is.
        cluster.sql("ALTER TABLE jobs ADD CONSTRAINT unfinished CHECK (state <> 'succeeded')",
                    "restarted")
        jobs = [httpx.post(running.url + "/api/exports", headers=headers, json=PERIOD).json()["id"]
                for _ in range(8)]
        running.kill()
        cluster.sql("ALTER TABLE jobs DROP CONSTRAINT unfinished", "restarted")
        # As if the server had died in the middle of them, a while ago.
        cluster.sql("UPDATE jobs SET lease_until = now() - interval '1 s' "
                    "WHERE state = 'running'", "restarted")
        cluster.sql("UPDATE jobs SET run_at = now() WHERE state = 'queued'", "restarted")
        stored = cluster.sql("SELECT encode(coalesce(payload, result), 'hex') FROM jobs",
                             "restarted")
        assert len(stored) == 8
        assert not [row for row in stored if "2020-01-01".encode().hex() in row[0]]
        running.start()
        wait_until(lambda: is_ready(running.url))
        with checking_client(running.url, headers=headers) as client:
            for job in jobs:
                until(client, f"/api/jobs/{job}", "succeeded")
            metrics = client.get("/metrics").text
        assert 'voiceflow_jobs_total{kind="team_export",outcome="succeeded"}' in metrics
        assert 'voiceflow_jobs{state="dead"} 0' in metrics
    finally:
        running.close()


@pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
def test_an_id_with_control_characters_is_a_bad_request(http, prefix):
    path = f"{prefix}/jobs/%08x"
    for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "/result"), ("POST", "/cancel"),
                         ("POST", "/retry")):
        assert http.request(method, path + tail).status_code == 400
