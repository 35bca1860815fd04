"""/api/dictionaries: pronunciation dictionaries, their versions, PLS, and a team's defaults."""

import concurrent.futures

import httpx
import pytest

from support import operations
from support.admin import admin, team_with_key
from support.raw import exchange
from support.server import Server, wait_until

PREFIXES = ["/api/dictionaries", "/api/v1/dictionaries"]
ALIAS = {"grapheme": "VF", "alias": "voice flow"}
PHONEME = {"grapheme": "tomato", "phoneme": "təˈmɑːtəʊ", "alphabet": "ipa"}
PLS = """<?xml version="1.0" encoding="UTF-8"?>
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="ipa"
         xml:lang="en-US">
  <lexeme><grapheme>VF</grapheme><alias>voice flow</alias></lexeme>
  <lexeme><grapheme>API</grapheme><alias>a p i</alias></lexeme>
</lexicon>"""


@pytest.fixture(scope="module")
def server():
    server = Server(settings={"DICTIONARIES_PER_TEAM": "12", "DICTIONARIES_VERSIONS": "3"})
    yield server
    server.close()


def client_of(server, name, *words):
    team, key = team_with_key(server, name, "pro", *words)
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"},
                        timeout=60), team


@pytest.fixture
def http(server, request):
    client, _ = client_of(server, request.node.name[:100])
    with client:
        yield client


def make(http, name="Words", rules=(ALIAS,), prefix=PREFIXES[0]):
    response = http.post(prefix, json={"name": name, "rules": list(rules)})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == "/api/dictionaries/" + response.json()["id"]
    return response.json()


def refused(response, status, code):
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


@pytest.mark.parametrize("prefix", PREFIXES)
def test_from_making_to_deleting(http, prefix):
    made = make(http, prefix=prefix, rules=[ALIAS, PHONEME])
    path = f"{prefix}/{made['id']}"
    assert (made["version"], made["rule_count"], made["archived_at"]) == (1, 2, None)
    assert http.get(path).json() == made
    rules = http.get(path + "/rules").json()
    assert rules["id"] == made["version_id"]
    assert [rule["grapheme"] for rule in rules["rules"]] == ["VF", "tomato"]
    assert rules["rules"][1]["phoneme"] == PHONEME["phoneme"]

    changed = http.put(path + "/rules", json={"rules": [ALIAS]}).json()
    assert (changed["version"], changed["rule_count"]) == (2, 1)
    assert http.put(path + "/rules", json={"rules": [ALIAS]}).json() == changed  # nothing new
    versions = http.get(path + "/versions").json()["data"]
    assert [one["version"] for one in versions] == [2, 1]
    old = http.get(path + "/rules", params={"version": made["version_id"]}).json()
    assert len(old["rules"]) == 2

    renamed = http.patch(path, json={"name": "Other words", "description": "For tests."})
    assert renamed.status_code == 200 and renamed.json()["description"] == "For tests."
    assert http.delete(path).status_code == 204
    refused(http.get(path), 404, "dictionary_not_found")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_pls_in_and_out(http, prefix):
    made = http.post(prefix + "/import", params={"name": "From a file"}, content=PLS.encode(),
                     headers={"Content-Type": "application/pls+xml"})
    assert made.status_code == 201 and made.json()["rule_count"] == 2, made.text
    path = f"{prefix}/{made.json()['id']}"
    exported = http.get(path + "/pls")
    assert exported.headers["content-type"].startswith("application/pls+xml")
    assert "voice flow" in exported.text
    again = http.put(path + "/pls", content=exported.content,
                     headers={"Content-Type": "application/xml"})
    assert again.status_code == 200 and again.json()["version"] == 1  # the same rules
    shorter = http.put(path + "/pls", content=PLS.replace("API", "API2").encode(),
                       headers={"Content-Type": "text/xml"})
    assert shorter.json()["version"] == 2


@pytest.mark.parametrize("prefix", PREFIXES)
def test_defaults_are_spoken_on_every_route(http, prefix):
    made = make(http, rules=[{"grapheme": "VF", "alias": "extraordinarily long replacement"}])
    native = {"text": "VF", "voice": "slt", "format": "pcm"}
    openai = {"model": "tts-1", "input": "VF", "voice": "slt", "response_format": "pcm"}
    routes = [("/v1/generate", native), ("/v1/generate/stream", native),
              ("/v1/audio/speech", openai),
              ("/v1/text-to-speech/slt?output_format=pcm_24000", {"text": "VF"}),
              ("/v1/text-to-speech/slt/stream?output_format=pcm_24000", {"text": "VF"})]
    before = {path: len(http.post(path, json=body).content) for path, body in routes}
    assert http.get(prefix + "/defaults").json() == {"dictionaries": []}
    set_to = http.put(prefix + "/defaults", json={"dictionaries": [made["id"]]})
    assert set_to.json() == {"dictionaries": [made["id"]]} == http.get(prefix + "/defaults").json()
    for path, body in routes:
        assert len(http.post(path, json=body).content) > 2 * before[path], path
    # What a request names itself comes in their place.
    other = make(http, "Others", [{"grapheme": "XY", "alias": "x"}])
    named = {"text": "VF", "pronunciation_dictionary_locators": [
        {"pronunciation_dictionary_id": other["id"]}]}
    path = "/v1/text-to-speech/slt?output_format=pcm_24000"
    assert len(http.post(path, json=named).content) == before[path]
    assert http.delete(f"{prefix}/{made['id']}").status_code == 204
    assert http.get(prefix + "/defaults").json() == {"dictionaries": []}
    assert len(http.post("/v1/generate", json=native).content) == before["/v1/generate"]


def test_a_change_is_heard_within_a_second_and_versions_stay(http):
    made = make(http, rules=[{"grapheme": "VF", "alias": "short"}])
    path = "/v1/text-to-speech/slt?output_format=pcm_16000"

    def size(version=None):
        locator = {"pronunciation_dictionary_id": made["id"], "version_id": version}
        reply = http.post(path, json={"text": "VF", "pronunciation_dictionary_locators": [locator]})
        assert reply.status_code == 200, reply.text
        return len(reply.content)
    short = size()
    http.put(f"/api/dictionaries/{made['id']}/rules", json={
        "rules": [{"grapheme": "VF", "alias": "something that takes quite a while to say"}]})
    assert size() > 2 * short
    assert size(made["version_id"]) == short


def test_names_are_unique_among_those_in_use(http):
    first = make(http, "Twice")
    refused(http.post(PREFIXES[0], json={"name": "Twice"}), 409, "dictionary_exists")
    other = make(http, "Once")
    refused(http.patch(f"{PREFIXES[0]}/{other['id']}", json={"name": "Twice"}), 409,
            "dictionary_exists")
    archived = http.patch(f"{PREFIXES[0]}/{first['id']}", json={"archived": True}).json()
    assert archived["archived_at"]
    make(http, "Twice")
    refused(http.patch(f"{PREFIXES[0]}/{first['id']}", json={"archived": False}), 409,
            "dictionary_exists")
    ids = [one["id"] for one in http.get(PREFIXES[0]).json()["data"]]
    assert first["id"] not in ids
    ids = [one["id"] for one in http.get(PREFIXES[0], params={"archived": "true"}).json()["data"]]
    assert first["id"] in ids


@pytest.mark.parametrize("prefix", PREFIXES)
def test_409_in_both_places(http, prefix):
    made = make(http, "Taken")
    other = make(http, "Free")
    refused(http.post(prefix, json={"name": "Taken"}), 409, "dictionary_exists")
    refused(http.post(prefix + "/import", params={"name": "Taken"}, content=PLS.encode(),
                      headers={"Content-Type": "application/pls+xml"}), 409, "dictionary_exists")
    refused(http.patch(f"{prefix}/{other['id']}", json={"name": "Taken"}), 409,
            "dictionary_exists")
    assert made["name"] == "Taken"


def test_pages(http):
    made = [make(http, f"Number {i}")["id"] for i in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = http.get(PREFIXES[0], params=query).json()
        seen += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == made[::-1]


def test_bounds_of_a_team(http):
    for i in range(12):
        make(http, f"Number {i}")
    refused(http.post(PREFIXES[0], json={"name": "One more"}), 409, "too_many_dictionaries")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_bounds_of_a_dictionary(http, prefix):
    path = f"{prefix}/{make(http)['id']}"
    for i in range(2):
        assert http.put(path + "/rules", json={"rules": [{"grapheme": f"a{i}", "alias": "b"}]}
                        ).status_code == 200
    refused(http.put(path + "/rules", json={"rules": []}), 409, "too_many_versions")
    refused(http.put(path + "/pls", content=PLS.encode(),
                     headers={"Content-Type": "application/pls+xml"}), 409, "too_many_versions")


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("body, code, pointer", [
    ({}, "invalid_request", "/name"),
    ({"name": "x", "rules": [{"grapheme": "a"}]}, "invalid_request", "/rules/0/alias"),
    ({"name": "x", "rules": [{"grapheme": "a", "alias": "b", "phoneme": "c"}]}, "invalid_request",
     "/rules/0/phoneme"),
    ({"name": "x", "rules": [{"grapheme": "a", "phoneme": "a", "alphabet": "runes"}]},
     "unknown_alphabet", "/rules/0/alphabet"),
    ({"name": "x", "rules": [{"grapheme": "a", "phoneme": "QQ%%", "alphabet": "cmu-arpabet"}]},
     "invalid_phonemes", "/rules/0/phoneme"),
    ({"name": "x", "rules": [{"grapheme": "a\u0000b", "alias": "c"}]}, "invalid_character",
     "/rules/0"),
    ({"name": ""}, "invalid_name", "/name"), ({"name": "x" * 201}, "invalid_name", "/name"),
    ({"name": "a\nb"}, "invalid_name", "/name"), ({"name": " a"}, "invalid_name", "/name"),
    ({"name": "x", "description": "d" * 2001}, "invalid_description", "/description"),
    ({"name": "x", "rule": []}, "invalid_request", "/rule")])
def test_wrong_bodies(http, prefix, body, code, pointer):
    response = http.post(prefix, json=body)
    refused(response, 400, code)
    assert response.json()["errors"][0]["pointer"] == pointer
    assert http.get(prefix).json()["data"] == []


def test_too_many_rules(http):
    rules = [{"grapheme": f"w{i}", "alias": "a"} for i in range(10_001)]
    refused(http.post(PREFIXES[0], json={"name": "Big", "rules": rules}), 400, "too_many_rules")
    made = make(http, "Full", rules[:10_000])
    assert made["rule_count"] == 10_000
    reply = http.post("/v1/text-to-speech/slt", json={
        "text": "w7 and w9999.",
        "pronunciation_dictionary_locators": [{"pronunciation_dictionary_id": made["id"]}]})
    assert reply.status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("text", [
    "", "<lexicon", "<html/>", "<!DOCTYPE x [<!ENTITY e 'e'>]><lexicon>&e;</lexicon>", "\x00"])
def test_what_is_no_pls(http, prefix, text):
    head = {"Content-Type": "application/pls+xml"}
    response = http.post(prefix + "/import", params={"name": "x"}, content=text.encode(),
                         headers=head)
    assert response.status_code == 400 and response.json()["code"].startswith("pls_")
    made = make(http)
    response = http.put(f"{prefix}/{made['id']}/pls", content=text.encode(), headers=head)
    assert response.status_code == 400 and response.json()["code"].startswith("pls_")


def test_the_same_change_from_many_sides_is_one_version_each(http):
    made = make(http)
    path = f"{PREFIXES[0]}/{made['id']}/rules"
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(
            lambda i: http.put(path, json={"rules": [{"grapheme": f"r{i}", "alias": "x"}]}),
            range(4)))
    assert sorted(reply.status_code for reply in replies) == [200, 200, 409, 409]
    versions = http.get(f"{PREFIXES[0]}/{made['id']}/versions").json()["data"]
    assert [one["version"] for one in versions] == [3, 2, 1]


def test_other_teams_see_nothing(server, http):
    mine = make(http)
    stranger, _ = client_of(server, "Strangers of the dictionaries")
    with stranger:
        path = f"{PREFIXES[0]}/{mine['id']}"
        for method, rest, body in [("GET", "", None), ("PATCH", "", {"name": "x"}),
                                   ("DELETE", "", None), ("GET", "/rules", None),
                                   ("PUT", "/rules", {"rules": []}), ("GET", "/versions", None),
                                   ("GET", "/pls", None)]:
            response = stranger.request(method, path + rest, json=body)
            refused(response, 404, "dictionary_not_found")
        refused(stranger.put(PREFIXES[0] + "/defaults", json={"dictionaries": [mine["id"]]}), 404,
                "dictionary_not_found")
        locator = {"pronunciation_dictionary_id": mine["id"], "version_id": mine["version_id"]}
        http.post("/v1/text-to-speech/slt", json={
            "text": "VF", "pronunciation_dictionary_locators": [locator]})  # it is kept compiled
        response = stranger.post("/v1/text-to-speech/slt", json={
            "text": "VF", "pronunciation_dictionary_locators": [locator]})
        assert response.status_code == 404
        assert response.json()["detail"]["code"] == "pronunciation_dictionary_not_found"
        assert stranger.get(PREFIXES[0]).json()["data"] == []
    assert http.get(path).json() == mine


def test_changes_are_events(server):
    scopes = [word for scope in ("voices:read", "voices:write", "admin:read")
              for word in ("--scope", scope)]
    http, _ = client_of(server, "Watched", *scopes)
    made = make(http)
    http.put(f"{PREFIXES[0]}/{made['id']}/rules", json={"rules": []})
    http.put(PREFIXES[0] + "/defaults", json={"dictionaries": [made["id"]]})
    http.delete(f"{PREFIXES[0]}/{made['id']}")
    wanted = ["dictionary.created", "dictionary.updated", "dictionary.defaults_changed",
              "dictionary.deleted"]

    def there():
        events = http.get("/api/events", headers={"Accept": "application/json"}).json()["data"]
        types = [event["type"] for event in events if event["type"].startswith("dictionary.")]
        return sorted(types) == sorted(wanted)
    wait_until(there, 10, "the events")


def test_they_outlive_the_server():
    server = Server()
    try:
        made = httpx.post(server.url + PREFIXES[0], json={"name": "Stays", "rules": [ALIAS]}).json()
        server.kill()
        server.start()
        assert httpx.get(f"{server.url}{PREFIXES[0]}/{made['id']}").json() == made
    finally:
        server.close()


# What every route refuses.

def filled(path, made):
    return path.replace(operations.IDS["id"], made)


@pytest.mark.parametrize("method, path", operations.of_tag("dictionaries", 401))
def test_401_and_403(server, method, path):
    head = {"Content-Type": operations.media_type(method, path) or "application/json"}
    stranger = httpx.request(method, server.url + path, headers={
        **head, "Authorization": "Bearer vf_live_unknown"})
    refused(stranger, 401, "invalid_api_key")
    team = admin(server, "create-team", "Without rights", "--plan", "pro")["id"]
    key = admin(server, "create-key", team, "--scope", "usage:read")["key"]
    forbidden = httpx.request(method, server.url + path, headers={
        **head, "Authorization": f"Bearer {key}"})
    refused(forbidden, 403, "missing_scope")


@pytest.mark.parametrize("method, path", operations.of_tag("dictionaries", 404))
def test_404(http, method, path):
    media_type = operations.media_type(method, path)
    body = {"application/json": b'{"rules":[]}' if "/rules" in path else b"{}",
            "application/pls+xml": PLS.encode()}.get(media_type)
    if path.endswith("/defaults"):
        body = b'{"dictionaries":["%s"]}' % operations.IDS["id"].encode()
    head = {"Content-Type": media_type} if media_type else {}
    refused(http.request(method, path, content=body, headers=head), 404, "dictionary_not_found")


@pytest.mark.parametrize("method, path", operations.of_tag("dictionaries", 406))
def test_406(http, method, path):
    head = {"Content-Type": operations.media_type(method, path) or "application/json",
            "Accept": "image/png"}
    assert http.request(method, path, headers=head).status_code == 406


@pytest.mark.parametrize("method, path", operations.of_tag("dictionaries", 400))
def test_400_for_a_parameter_that_is_none(http, method, path):
    media_type = operations.media_type(method, path)
    head = {"Content-Type": media_type} if media_type else {}
    response = http.request(method, path, params={"nonsense": "1"}, headers=head)
    refused(response, 400, "invalid_request")


@pytest.mark.parametrize("method, path", operations.of_tag("dictionaries", 415))
def test_411_413_415(server, http, method, path):
    assert http.request(method, path, content=b"x", headers={"Content-Type": "image/png"}
                        ).status_code == 415
    key = http.headers["authorization"]
    media_type = operations.media_type(method, path)
    head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {key}\r\n"
            f"Content-Type: {media_type}\r\nConnection: close\r\n")
    for more, status in (("", 411), ("Content-Length: 5000000\r\n", 413)):
        reply = exchange(server.port, head + more + "\r\n")
        assert reply.status == status
        reply.check(method, path)
