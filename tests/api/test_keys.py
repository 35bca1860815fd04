"""API keys: made by the operator, checked everywhere, ended at once."""

import concurrent.futures
import hashlib
import subprocess
import time

import httpx
import pytest
from support.admin import Refused, admin, team_with_key
from support.server import VOICEFLOWD, Server, wait_until

SPEECH = {"text": "Good morning.", "voice": "slt", "format": "pcm"}
OPENAI = {"model": "tts-1", "input": "Good morning.", "voice": "alloy"}


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def acme(server):
    return team_with_key(server, "Acme", "pro")


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def speak(server, key, **more):
    return httpx.post(server.url + "/v1/generate", json={**SPEECH, **more}, headers=bearer(key))


def code_of(response):
    body = response.json()
    return (body["error"] if "error" in body else body)["code"]


@pytest.mark.parametrize("header", ["Authorization", "xi-api-key", "X-API-Key"])
def test_a_key_speaks_in_every_header(server, acme, header):
    value = f"Bearer {acme[1]}" if header == "Authorization" else acme[1]
    response = httpx.post(server.url + "/v1/generate", json=SPEECH, headers={header: value})
    assert response.status_code == 200
    assert len(response.content) > 10_000


def test_the_first_key_ends_the_demo_mode(acme, server):
    response = httpx.post(server.url + "/v1/generate", json=SPEECH)
    assert (response.status_code, code_of(response)) == (401, "missing_api_key")
    response = httpx.post(server.url + "/v1/audio/speech", json=OPENAI, headers=bearer("sk-openai"))
    assert (response.status_code, code_of(response)) == (401, "invalid_api_key")


def test_typos_are_told_from_unknown_keys(server, acme):
    key = acme[1]
    for typo in (key[:-1], key + "x", key[:20] + key[21:], key.replace("vf_live_", "vf_test_"),
                 "vf_live_", "vf_live_0000", key.swapcase()):
        response = speak(server, typo) if typo.startswith("vf_") else None
        if response is not None:
            assert (response.status_code, code_of(response)) == (401, "invalid_api_key")
            assert "mistyped" in response.json()["detail"], typo
    unknown = Server()
    try:
        foreign = team_with_key(unknown)[1]
    finally:
        unknown.close()
    for _ in range(2):  # asked of the database, then of memory
        response = speak(server, foreign)
        assert (response.status_code, code_of(response)) == (401, "invalid_api_key")
        assert "not known" in response.json()["detail"]


def test_an_endless_key_is_a_header_too_large(server):
    response = httpx.post(server.url + "/v1/generate", json=SPEECH,
                          headers=bearer("vf_live_" + "a" * 200_000))
    assert response.status_code == 431


def test_two_keys_that_disagree_are_refused(server, acme):
    response = httpx.post(server.url + "/v1/generate", json=SPEECH,
                          headers={**bearer(acme[1]), "xi-api-key": "other"})
    assert (response.status_code, code_of(response)) == (401, "conflicting_credentials")


def test_scopes_are_enforced_in_every_dialect(server, acme):
    reader = admin(server, "create-key", acme[0], "--scope", "voices:read", "--scope",
                   "models:read")["key"]
    for method, path, body in (("POST", "/v1/generate", SPEECH), ("POST", "/v1/audio/speech", OPENAI),
                               ("POST", "/v1/generate/stream", SPEECH), ("POST", "/generate", SPEECH),
                               ("POST", "/generate/stream", SPEECH), ("GET", "/api/usage", None),
                               ("GET", "/metrics", None), ("GET", "/api/events", None)):
        response = httpx.request(method, server.url + path, json=body, headers=bearer(reader))
        assert (response.status_code, code_of(response)) == (403, "missing_scope"), path
    for path in ("/api/voices", "/v1/models", "/v1/audio/voices"):
        assert httpx.get(server.url + path, headers=bearer(reader)).status_code == 200
    speaker = admin(server, "create-key", acme[0], "--scope", "speech:write")["key"]
    for path in ("/api/voices", "/api/v1/voices", "/v1/models", "/v1/models/tts-1",
                 "/v1/audio/voices", "/v1/audio/models"):
        response = httpx.get(server.url + path, headers=bearer(speaker))
        assert (response.status_code, code_of(response)) == (403, "missing_scope"), path
    with pytest.raises(Refused, match="not a scope"):
        admin(server, "create-key", acme[0], "--scope", "speech:wirte")


def test_a_revoked_key_is_dead_within_a_second(server, acme):
    made = admin(server, "create-key", acme[0], "--name", "short-lived")
    assert speak(server, made["key"]).status_code == 200
    admin(server, "revoke-key", made["id"])
    revoked_at = time.monotonic()
    response = wait_until(lambda: (r := speak(server, made["key"])).status_code == 401 and r, 5)
    assert time.monotonic() - revoked_at < 1.5  # the loop of the test included
    assert code_of(response) == "api_key_revoked"
    with pytest.raises(Refused, match="no such key"):
        admin(server, "revoke-key", made["id"])


def test_a_lost_notification_is_made_up_for(server, acme):
    """Beside the triggers' back: the change is in the list, but nobody was notified."""
    made = admin(server, "create-key", acme[0])
    assert speak(server, made["key"]).status_code == 200
    uuid = made["id"].removeprefix("key_")
    sql(server, f"ALTER TABLE api_keys DISABLE TRIGGER access_changed; "
                f"UPDATE api_keys SET revoked_at = now() WHERE id = '{uuid}'; "
                f"INSERT INTO access_changes (kind, subject) VALUES ('api_keys', '{uuid}'); "
                f"ALTER TABLE api_keys ENABLE TRIGGER access_changed")
    wait_until(lambda: speak(server, made["key"]).status_code == 401, 5, "the revocation")


def sql(server, statement):
    """As the owner of the private database."""
    password = (server.data_dir / "postgres.password").read_text().strip()
    socket_dir = (server.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    return subprocess.run(
        ["psql", f"postgresql://voiceflow:{password}@/postgres?host={socket_dir}", "-qAt", "-v",
         "ON_ERROR_STOP=1", "-c", statement], capture_output=True, text=True, check=True).stdout.strip()


def test_the_secret_is_nowhere_in_the_database(server, acme):
    key = acme[1]
    dump = sql(server, "SELECT string_agg(k::text, '') FROM api_keys k")
    assert key not in dump and key[14:] not in dump
    assert hashlib.sha256(key.encode()).hexdigest() in dump
    assert not any(key in line for line in server.log)


def test_a_test_key_is_marked(server, acme):
    made = admin(server, "create-key", acme[0], "--test")
    assert made["key"].startswith("vf_test_")
    assert speak(server, made["key"]).status_code == 200
    listed = {k["id"]: k for k in admin(server, "list", acme[0])}
    assert listed[made["id"]]["live"] is False


def test_an_expired_key_says_so(server, acme):
    made = admin(server, "create-key", acme[0], "--expires-in-days", "1")
    assert speak(server, made["key"]).status_code == 200
    uuid = made["id"].removeprefix("key_")
    sql(server, f"UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = '{uuid}'")
    response = wait_until(lambda: (r := speak(server, made["key"])).status_code == 401 and r, 5)
    assert code_of(response) == "api_key_expired"


def test_use_is_counted(server, acme):
    made = admin(server, "create-key", acme[0])
    for _ in range(3):
        assert speak(server, made["key"]).status_code == 200

    def counted():
        listed = {k["id"]: k for k in admin(server, "list", acme[0])}
        return listed[made["id"]]["requests"] == 3 and listed[made["id"]]["last_used_at"]
    wait_until(counted, 20, "the count")


def test_teams_are_named_by_id_or_by_name(server):
    first = admin(server, "create-team", "Twins")
    assert admin(server, "set-plan", "Twins", "pro")["id"] == first["id"]
    second = admin(server, "create-team", "Twins")
    with pytest.raises(Refused, match="2 teams are called"):
        admin(server, "create-key", "Twins")
    with pytest.raises(Refused, match="no team"):
        admin(server, "create-key", "Nobody")
    with pytest.raises(Refused, match="no plan"):
        admin(server, "set-plan", second["id"], "gold")
    with pytest.raises(Refused, match="no plan"):
        admin(server, "create-team", "X", "--plan", "gold")
    plans = {team["id"]: team["plan"] for team in admin(server, "list")}
    assert plans[first["id"]] == "pro" and plans[second["id"]] == "free"


def test_a_change_of_plan_is_in_force_within_a_second(server, tmp_path):
    catalogue = tmp_path / "short.toml"
    catalogue.write_text('[[plan]]\nid = "short"\nname = "Short"\ntier = "free"\ncurrency = "USD"\n'
                         'price_minor = 0\nquality = "standard"\ntext_characters = 20\n')
    admin(server, "load-plans", catalogue)
    team, key = team_with_key(server, "Growing", "short")
    text = "This is longer than twenty characters."
    response = speak(server, key, text=text)
    assert (response.status_code, code_of(response)) == (400, "text_too_long")
    admin(server, "set-plan", team, "enterprise")
    changed_at = time.monotonic()
    wait_until(lambda: speak(server, key, text=text).status_code == 200, 5, "the new plan")
    assert time.monotonic() - changed_at < 2  # the waiting and the speaking included


def test_a_thousand_wrong_keys_at_once(server, acme):
    with concurrent.futures.ThreadPoolExecutor(16) as pool, \
            httpx.Client(base_url=server.url, limits=httpx.Limits(max_connections=16)) as client:
        def knock(n):
            return client.get("/v1/models", headers=bearer(f"vf_live_{n:049d}")).status_code
        assert set(pool.map(knock, range(1000))) == {401}
    assert speak(server, acme[1]).status_code == 200


def test_the_key_file_rotates(server):
    before = (server.data_dir / "server.key").read_text()
    assert (server.data_dir / "server.key").stat().st_mode & 0o777 == 0o600
    done = subprocess.run([str(VOICEFLOWD), "admin", "rotate-key", f"--data.dir={server.data_dir}"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    after = (server.data_dir / "server.key").read_text()
    assert before != after and after.count('"secret"') == before.count('"secret"') + 1


def test_admin_works_without_a_running_server():
    own = Server()
    team, key = team_with_key(own, "Before")
    own.stop()
    listed = admin(own, "list")
    assert [t["id"] for t in listed] == [team]
    late = admin(own, "create-key", "Before")["key"]
    own.start()
    try:
        assert speak(own, key).status_code == 200
        assert speak(own, late).status_code == 200
    finally:
        own.close()
