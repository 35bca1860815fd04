"""What a team reads of its usage: rows, groups, pages, CSV, the summary, the figures at a glance."""

import csv
import datetime
import io
import os
import subprocess

import httpx
import pytest

from support.admin import admin, team_with_key
from support.server import Server

USAGE = ["/api/usage", "/api/v1/usage"]
ALL = [*USAGE, "/api/usage/summary", "/api/v1/usage/summary", "/api/stats", "/api/v1/stats"]
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
FORMULA = '=HYPERLINK("http://evil","x")'


@pytest.fixture(scope="module")
def server():
    server = Server(settings={"ENGINES_ENABLE": "flite"})
    yield server
    server.close()


def sql(server, statement):
    """As the owner of the private database."""
    password = (server.data_dir / "postgres.password").read_text().strip()
    socket_dir = (server.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    done = subprocess.run(
        ["psql", f"postgresql://voiceflow:{password}@/postgres?host={socket_dir}", "-qAt", "-v",
         "ON_ERROR_STOP=1"], input=statement, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def seed(server, team, at, characters, key=None, voice="slt", status=200, delivery="complete",
         live=True):
    uuid = team.removeprefix("team_")
    row = f"{int(at.timestamp() * 1000):012x}7{os.urandom(9).hex()}f"
    month = at.strftime("%Y-%m-01")
    key = f"'{key.removeprefix('key_')}'" if key else "NULL"
    sql(server, f"SELECT vf_usage_partition('{month}'); INSERT INTO usage_rows VALUES ('{row}', "
                f"'{uuid}', {key}, '{uuid}', '{uuid}', '{at.isoformat()}', {characters}, "
                f"{characters * 70}, 30, {characters * 1000}, {characters * 2}, {status}, {live}, "
                f"false, false, 'speech', '{delivery}', '/v1/generate', $v${voice}$v$, 'standard', "
                "'flite', '', '')")


@pytest.fixture(scope="module")
def acme(server):
    """A team with a key and four rows of the last hours, and another team's row beside them."""
    team, key = team_with_key(server, "Acme", "pro")
    made = admin(server, "create-key", team)
    hour = datetime.timedelta(hours=1)
    seed(server, team, NOW - 40 * 24 * hour, 1)
    seed(server, team, NOW - 4 * hour, 2, key=made["id"])
    seed(server, team, NOW - 3 * hour, 4, status=503, delivery="failed", voice="")
    seed(server, team, NOW - 2 * hour, 8, live=False)
    seed(server, team, NOW - 1 * hour, 16, voice=FORMULA)
    other, _ = team_with_key(server, "Other", "pro")
    seed(server, other, NOW - hour, 1000)
    return {"key": key, "of_a_row": made["id"]}


def get(server, path, key, accept="application/json", **query):
    return httpx.get(server.url + path, params=query,
                     headers={"Authorization": f"Bearer {key}", "Accept": accept})


def characters(response):
    assert response.status_code == 200, response.text
    return [row["characters"] for row in response.json()["data"]]


@pytest.mark.parametrize("path", USAGE)
def test_rows_are_those_of_the_team_newest_first(server, acme, path):
    assert characters(get(server, path, acme["key"])) == [16, 8, 4, 2]
    old = (NOW - datetime.timedelta(days=41)).strftime("%Y-%m-%d")
    assert characters(get(server, path, acme["key"], **{"from": old})) == [16, 8, 4, 2, 1]
    day = (NOW - datetime.timedelta(days=39)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert characters(get(server, path, acme["key"], **{"from": old, "to": day})) == [1]


@pytest.mark.parametrize("path", USAGE)
def test_pages_join_without_gap_or_overlap(server, acme, path):
    for group_by, whole in ((None, 4), ("voice", 3), ("day", None)):
        query = {"limit": 1, **({"group_by": group_by} if group_by else {})}
        seen, cursor = [], None
        while True:
            page = get(server, path, acme["key"], **query, **({"cursor": cursor} if cursor else {}))
            assert page.status_code == 200, page.text
            seen += page.json()["data"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                break
        assert sum(item["characters"] for item in seen) == 30
        assert whole is None or len(seen) == whole


@pytest.mark.parametrize("path", USAGE)
def test_filters(server, acme, path):
    key = acme["key"]
    assert characters(get(server, path, key, live="false")) == [8]
    assert characters(get(server, path, key, live="true", voice="slt")) == [2]
    assert characters(get(server, path, key, key=acme["of_a_row"])) == [2]
    assert characters(get(server, path, key, key="key_" + "0" * 32)) == []
    assert characters(get(server, path, key, voice="' OR 1=1 --")) == []


@pytest.mark.parametrize("path", USAGE)
@pytest.mark.parametrize("by", ["day", "month", "key", "voice", "model", "engine", "route",
                                "region", "deployment", "delivery", "status"])
def test_every_grouping_adds_up(server, acme, path, by):
    groups = get(server, path, acme["key"], group_by=by).json()["data"]
    assert sum(group["requests"] for group in groups) == 4
    assert sum(group["characters"] for group in groups) == 30
    assert sum(group["errors"] for group in groups) == 1
    assert [group[by] for group in groups] == sorted(group[by] for group in groups)


@pytest.mark.parametrize("path", USAGE)
def test_csv_opens_in_a_spreadsheet_and_runs_nothing(server, acme, path):
    for response in (get(server, path, acme["key"], accept="text/csv"),
                     get(server, path, acme["key"], format="csv", accept="*/*")):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(response.text)))
        assert [int(row["characters"]) for row in rows] == [16, 8, 4, 2]
        assert rows[0]["voice"] == "'" + FORMULA
        assert all(None not in row and None not in row.values() for row in rows)
    page = get(server, path, acme["key"], format="csv", group_by="voice", limit=2)
    assert [row["voice"] for row in csv.DictReader(io.StringIO(page.text))] == ["", "'" + FORMULA]
    rest = get(server, path, acme["key"], format="csv", group_by="voice",
               cursor=page.headers["X-Next-Cursor"])
    assert [row["voice"] for row in csv.DictReader(io.StringIO(rest.text))] == ["slt"]
    assert "X-Next-Cursor" not in rest.headers


@pytest.mark.parametrize("path", ["/api/usage/summary", "/api/v1/usage/summary"])
def test_the_summary_stands_beside_the_period_before(server, acme, path):
    month = get(server, path, acme["key"]).json()
    assert month["period"]["from"] == NOW.strftime("%Y-%m-01T00:00:00.000Z")
    assert month["previous"]["period"]["to"] == month["period"]["from"]
    assert month["currency"] == "USD"
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    day = {"from": (NOW - datetime.timedelta(hours=24)).strftime(stamp), "to": NOW.strftime(stamp)}
    body = get(server, path, acme["key"], **day).json()
    assert (body["live"]["requests"], body["live"]["characters"], body["live"]["errors"]) == (3, 22, 1)
    assert (body["test"]["requests"], body["test"]["audio_ms"], body["test"]["bytes"]) == (1, 560, 8000)
    assert body["live"]["charge_milli"] == 44
    assert body["previous"]["live"]["requests"] == body["previous"]["test"]["requests"] == 0


@pytest.mark.parametrize("path", ["/api/stats", "/api/v1/stats"])
def test_the_figures_at_a_glance(server, acme, path):
    body = get(server, path, acme["key"]).json()
    assert body["requests"]["last_7_days"] == body["requests"]["last_30_days"] == 4
    assert body["errors"]["last_30_days"] == 1
    assert body["engine_ms"] == {"p50": 30, "p95": 30}
    assert body["top_voices"][0] == {"voice": "slt", "requests": 2}
    assert get(server, path, acme["key"], live="false").json()["requests"]["last_30_days"] == 1
    _, fresh = team_with_key(server, f"Fresh of {path}", "pro")
    empty = get(server, path, fresh).json()
    assert empty["engine_ms"] == {"p50": None, "p95": None} and empty["top_voices"] == []


@pytest.mark.parametrize("path", USAGE)
@pytest.mark.parametrize("wrong, query", [
    ("from", {"from": "yesterday"}), ("from", {"from": "2026-02-30"}),
    ("from", {"from": "2026-01-01T10:00:00"}), ("to", {"to": "2026-13-01"}),
    ("to", {"from": "2026-02-02", "to": "2026-02-01"}),
    ("to", {"from": "2026-02-02", "to": "2026-02-02"}),
    ("from", {"from": "2024-01-01", "to": "2026-01-01"}),
    ("group_by", {"group_by": "team"}), ("live", {"live": "maybe"}),
    ("key", {"key": "key_1"}), ("key", {"key": "team_" + "0" * 32}),
    ("voice", {"voice": "x" * 201}), ("limit", {"limit": 0}), ("limit", {"limit": 1001}),
    ("limit", {"limit": "many"}), ("cursor", {"cursor": "x"}),
    ("cursor", {"cursor": "op_" + "0" * 32, "group_by": "day"}),
    ("cursor", {"cursor": "gff", "group_by": "voice"}), ("format", {"format": "xml"}),
    ("team", {"team": "team_" + "0" * 32}),
])
def test_wrong_parameters_are_named(server, acme, path, wrong, query):
    response = get(server, path, acme["key"], **query)
    assert response.status_code == 400
    assert wrong in [error["parameter"] for error in response.json()["errors"]]


@pytest.mark.parametrize("path", ALL[2:])
def test_wrong_parameters_of_the_summaries(server, acme, path):
    response = get(server, path, acme["key"], limit=3, live="perhaps", **{"from": "no"})
    assert response.status_code == 400 and len(response.json()["errors"]) >= 2


@pytest.mark.parametrize("path", ALL)
def test_who_may_not_read(server, acme, path):
    assert httpx.get(server.url + path).status_code == 401
    team, _ = team_with_key(server, f"Narrow {path}", "pro")
    narrow = admin(server, "create-key", team, "--scope", "speech:write")["key"]
    assert get(server, path, narrow).status_code == 403
    assert get(server, path, acme["key"], accept="image/png").status_code == 406
