"""Stored objects: up, listed, linked, served in ranges, deleted; and every way that must not open."""

import hashlib

import httpx
import pytest
from support import raw
from support.admin import admin, team_with_key
from support.cluster import Cluster
from support.plugin import checking_client
from support.server import Server, wait_until

CONTENT = bytes(i * 31 % 251 for i in range(200_000))
PREFIXES = ["/api/blobs", "/api/v1/blobs"]
FOREIGN = {"X-Forwarded-For": "203.0.113.9"}  # not from this machine itself: no demo


@pytest.fixture(scope="module")
def blob_server():
    running = usable(Server(settings={"BLOB_SWEEP_INTERVAL": "100ms",
                                      "BLOB_MAX_BYTES": "1MiB"}))
    yield running
    assert running.stop() == 0
    running.close()


@pytest.fixture(scope="module")
def http(blob_server):
    with checking_client(blob_server.url) as client:
        yield client


@pytest.fixture(params=PREFIXES)
def path(request):
    return request.param


def put(http, content=CONTENT, path="/api/blobs", **query):
    response = http.post(path, content=content, params=query,
                         headers={"Content-Type": "audio/wav"})
    assert response.status_code == 201, response.text
    return response.json()


def usable(server):
    """Ready, and able to tell who asks."""
    wait_until(lambda: httpx.get(server.url + "/api/blobs").status_code != 503, 20, "the server")
    return server


def link(http, blob, path="/api/blobs", expires_in=600):
    response = http.post(f"{path}/{blob['id']}/link", json={"expires_in": expires_in})
    assert response.status_code == 200, response.text
    # The link names the first door; the alias opens with the same signature.
    return response.json()["url"].replace("/api/blobs", path)


def refused(response, status, code):
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


def test_what_is_stored_is_told_and_served(http, path):
    blob = put(http, path=path, name="Grüße.wav", expires_in=3600)
    assert blob["bytes"] == len(CONTENT)
    assert blob["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (blob["name"], blob["content_type"], blob["live"]) == ("Grüße.wav", "audio/wav", False)
    assert blob["expires_at"] > blob["created_at"]
    assert http.get(f"{path}/{blob['id']}").json() == blob
    response = http.get(link(http, blob, path))
    assert response.status_code == 200
    assert response.content == CONTENT
    assert response.headers["content-length"] == str(len(CONTENT))
    assert response.headers["content-type"] == "audio/wav"
    assert response.headers["etag"] == f'"{blob["sha256"]}"'
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"Gr__e.wav\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.wav")
    assert 590 <= int(response.headers["cache-control"].removeprefix("private, max-age=")) <= 600
    assert "sandbox" in response.headers["content-security-policy"]


def test_what_lies_in_the_folder_is_not_the_content(http, blob_server):
    text = b"nobody but its owner may read this " * 100
    blob = put(http, text, name="../../etc/passwd")
    files = [f for f in (blob_server.data_dir / "blobs").rglob("*") if f.is_file()]
    digits = blob["id"].removeprefix("blob_")
    mine = [f for f in files if f.name == digits]
    assert len(mine) == 1 and mine[0].parent.name == digits[-2:]
    assert all(b"its owner" not in f.read_bytes() for f in files)
    assert mine[0].stat().st_mode & 0o077 == 0


def test_empty_content(http, path):
    blob = put(http, b"", path)
    assert blob["bytes"] == 0
    response = http.get(link(http, blob, path))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "0"
    response = http.get(link(http, blob, path), headers={"Range": "bytes=0-"})
    refused(response, 416, "invalid_range")


@pytest.mark.parametrize("header,first,last", [
    ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=65535-65536", 65535, 65536),
    ("bytes=131072-", 131072, 199_999), ("bytes=-1", 199_999, 199_999),
    ("bytes=-70000", 130_000, 199_999), ("bytes=-999999", 0, 199_999),
    ("bytes=199999-999999", 199_999, 199_999)])
def test_ranges(http, path, header, first, last):
    url = link(http, put(http, path=path), path)
    response = http.get(url, headers={"Range": header})
    assert response.status_code == 206
    assert response.content == CONTENT[first:last + 1]
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("header", ["bytes=5-3", "bytes=a-b", "bytes=0-1,5-6", "lines=1-2", "bytes"])
def test_what_is_no_range_gets_all_of_it(http, header):
    response = http.get(link(http, put(http)), headers={"Range": header})
    assert (response.status_code, response.content) == (200, CONTENT)


def test_a_range_outside_is_416(http, path):
    url = link(http, put(http, path=path), path)
    for header in ("bytes=200000-", "bytes=-0", "bytes=99999999999999999999-"):
        response = http.get(url, headers={"Range": header})
        refused(response, 416, "invalid_range")
        assert response.headers["content-range"] == "bytes */200000"


def test_conditions(http, path):
    blob = put(http, path=path)
    url = link(http, blob, path)
    etag = f'"{blob["sha256"]}"'
    for value in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        response = http.get(url, headers={"If-None-Match": value})
        assert (response.status_code, response.content) == (304, b"")
    assert http.get(url, headers={"If-None-Match": '"x"'}).status_code == 200
    part = {"Range": "bytes=0-9"}
    assert http.get(url, headers={**part, "If-Range": etag}).status_code == 206
    assert http.get(url, headers={**part, "If-Range": '"x"'}).status_code == 200
    assert http.get(url, headers={**part, "If-Range": f"W/{etag}"}).status_code == 200
    assert http.get(url, headers={**part, "If-None-Match": etag}).status_code == 304


def test_head_has_the_same_head(http):
    url = link(http, put(http))
    response = http.head(url)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(CONTENT))
    response = http.head(url, headers={"Range": "bytes=5-9"})
    assert (response.status_code, response.headers["content-length"]) == (206, "5")


def test_every_character_of_a_link_counts(http, path):
    blob = put(http, path=path)
    url = link(http, blob, path)
    head, signature = url.split("&signature=")
    for i, c in enumerate(signature):
        changed = signature[:i] + ("A" if c != "A" else "B") + signature[i + 1:]
        refused(http.get(f"{head}&signature={changed}"), 403, "link_invalid")
    base, expires = head.split("?expires=")
    for other in (int(expires) + 1, int(expires) - 1, f"0{expires}x", "", "-1", "9" * 30):
        refused(http.get(f"{base}?expires={other}&signature={signature}"), 403, "link_invalid")
    other = put(http, path=path)
    refused(http.get(url.replace(blob["id"], other["id"])), 403, "link_invalid")
    for query in ("", f"?expires={expires}", f"?signature={signature}"):
        refused(http.get(base + query), 403, "link_invalid")
    for query in ("&more=1", f"&expires={expires}"):
        refused(http.get(url + query), 400, "invalid_request")
    assert http.get(url).status_code == 200


def test_a_link_ends(http, path):
    url = link(http, put(http, path=path), path, expires_in=1)
    wait_until(lambda: http.get(url).status_code == 410, what="the link's end")
    refused(http.get(url), 410, "link_expired")


def test_a_link_needs_no_credentials_and_nothing_else_opens_content(http, path):
    blob = put(http, path=path)
    assert http.get(link(http, blob, path), headers=FOREIGN).content == CONTENT
    refused(http.get(f"{path}/{blob['id']}/content"), 403, "link_invalid")


def test_the_deleted_is_gone(http, path, blob_server):
    blob = put(http, path=path)
    url = link(http, blob, path)
    digits = blob["id"].removeprefix("blob_")
    file = blob_server.data_dir / "blobs" / digits[-2:] / digits
    assert file.exists()
    assert http.delete(f"{path}/{blob['id']}").status_code == 204
    refused(http.delete(f"{path}/{blob['id']}"), 404, "blob_not_found")
    refused(http.get(f"{path}/{blob['id']}"), 404, "blob_not_found")
    refused(http.get(url), 404, "blob_not_found")
    refused(http.post(f"{path}/{blob['id']}/link", json={"expires_in": 9}), 404, "blob_not_found")
    wait_until(lambda: not file.exists(), what="the sweep")


def test_the_expired_is_gone(http, blob_server):
    blob = put(http, expires_in=1)
    url = link(http, blob)
    digits = blob["id"].removeprefix("blob_")
    file = blob_server.data_dir / "blobs" / digits[-2:] / digits
    wait_until(lambda: http.get(f"/api/blobs/{blob['id']}").status_code == 404, what="its end")
    assert http.get(url).status_code in (404, 410)
    wait_until(lambda: not file.exists(), what="the sweep")


def test_pages(http, path):
    made = [put(http, str(i).encode(), path)["id"] for i in range(5)]
    seen, cursor = [], None
    while len(seen) < 5:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = http.get(path, params=query).json()
        assert len(page["data"]) == 2
        seen += [blob["id"] for blob in page["data"]]
        cursor = page["next_cursor"]
    assert seen[:5] == made[::-1]


def test_wrong_requests(http, path):
    for query in ("limit=0", "limit=101", "limit=x", "cursor=x", "cursor=team_" + "0" * 32, "a=1",
                  "limit=1&limit=2"):
        refused(http.get(f"{path}?{query}"), 400, "invalid_request")
    for query in ({"name": "x" * 256}, {"name": "a\r\nb"}, {"expires_in": 0}, {"expires_in": "x"}, {"expires_in": 10**10}, {"nam": "x"}):
        refused(http.post(path, content=b"x", params=query), 400, "invalid_request")
    assert http.post(path, content=b"x", params={"name": "a\x00b"}).status_code == 400
    refused(http.post(path, content=b"x", headers={"Content-Type": "no type"}), 400,
            "invalid_request")
    assert http.post(path, content=bytes(1024 * 1024 + 1)).status_code == 413
    blob = put(http, path=path)
    one = f"{path}/{blob['id']}"
    refused(http.get(one + "?a=1"), 400, "invalid_request")
    refused(http.delete(one + "?a=1"), 400, "invalid_request")
    for body in ({}, {"expires_in": 0}, {"expires_in": 604801}, {"expires_in": "1"},
                 {"expires_in": 1, "more": 1}, []):
        refused(http.post(one + "/link", json=body), 400, "invalid_request")
    assert http.post(one + "/link", content=b"x", headers={"Content-Type": "text/plain"}
                     ).status_code == 415
    assert http.post(one + "/link", content=bytes(1024 * 1024 * 9),
                     headers={"Content-Type": "application/json"}).status_code == 413
    for name in ("x", "blob_0", "team_" + "0" * 32, "..%2f..%2fetc%2fpasswd", "blob_" + "g" * 32):
        refused(http.get(f"{path}/{name}"), 404, "blob_not_found")
        refused(http.delete(f"{path}/{name}"), 404, "blob_not_found")
        refused(http.get(f"{path}/{name}/content"), 404, "blob_not_found")


def test_what_is_not_accepted(http, path):
    accept = {"Accept": "text/html"}
    one = f"{path}/{put(http, path=path)['id']}"
    assert http.get(path, headers=accept).status_code == 406
    assert http.post(path, content=b"x", headers=accept).status_code == 406
    assert http.get(one, headers=accept).status_code == 406
    assert http.delete(one, headers=accept).status_code == 406
    assert http.post(one + "/link", json={"expires_in": 1}, headers=accept).status_code == 406


def test_strangers_come_through_no_other_door(http, path):
    one = f"{path}/{put(http, path=path)['id']}"
    assert http.get(path, headers=FOREIGN).status_code == 401
    assert http.post(path, content=b"x", headers=FOREIGN).status_code == 401
    assert http.get(one, headers=FOREIGN).status_code == 401
    assert http.delete(one, headers=FOREIGN).status_code == 401
    assert http.post(one + "/link", json={"expires_in": 1}, headers=FOREIGN).status_code == 401


def test_a_body_without_a_length(path, blob_server):
    target = f"{path}/blob_{'0' * 32}/link"
    reply = raw.exchange(blob_server.port, f"POST {target} HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/json\r\nConnection: close\r\n\r\n")
    assert reply.status == 411
    reply.check("POST", target)


def test_damage_is_told(http, path, blob_server):
    blob = put(http, path=path)
    digits = blob["id"].removeprefix("blob_")
    file = blob_server.data_dir / "blobs" / digits[-2:] / digits
    sealed = bytearray(file.read_bytes())
    sealed[10] ^= 1
    file.write_bytes(sealed)
    refused(http.get(link(http, blob, path)), 500, "blob_damaged")
    # Damage behind the first chunks ends the connection before the last byte.
    sealed[10] ^= 1
    sealed[-1] ^= 1
    file.write_bytes(sealed)
    try:
        response = http.get(link(http, blob, path))
        assert response.status_code == 500
    except httpx.RemoteProtocolError:
        pass


def test_metrics(http):
    put(http)
    text = http.get("/metrics").text
    assert 'voiceflow_blob_operations_total{backend="files",operation="put",outcome="ok"}' in text
    assert "voiceflow_blob_stored_bytes" in text


def test_what_was_stored_outlives_a_crash():
    server = usable(Server())
    try:
        with checking_client(server.url) as http:
            blob = put(http, name="kept")
            url = link(http, blob)
        server.kill()
        left = server.data_dir / "blobs" / "unfinished" / "left"
        left.write_bytes(b"half")
        server.start()
        usable(server)
        with checking_client(server.url) as http:
            assert http.get(url).content == CONTENT
            assert not left.exists()
        assert server.stop() == 0
    finally:
        server.close()


@pytest.fixture(scope="module")
def teams():
    """A server with two teams whose plan holds 300,000 bytes, its database within reach."""
    cluster = Cluster()
    cluster.create_database()
    server = Server(settings={"DATABASE_URL": cluster.url(), "BLOB_SWEEP_INTERVAL": "100ms"})
    cluster.sql("UPDATE plans SET storage_bytes = 300000 WHERE id = 'free'")
    keys = [team_with_key(server, name) for name in ("Mine", "Theirs")]
    yield server, cluster, keys
    assert server.stop() == 0
    server.close()
    cluster.close()


def client_of(server, key):
    return checking_client(server.url, headers={"Authorization": f"Bearer {key}"})


def test_another_team_finds_nothing(teams, path):
    server, _, keys = teams
    with client_of(server, keys[0][1]) as mine, client_of(server, keys[1][1]) as theirs:
        blob = put(mine, b"mine", path)
        one = f"{path}/{blob['id']}"
        refused(theirs.get(one), 404, "blob_not_found")
        refused(theirs.delete(one), 404, "blob_not_found")
        refused(theirs.post(one + "/link", json={"expires_in": 9}), 404, "blob_not_found")
        assert blob["id"] not in theirs.get(path).text
        assert mine.get(one).json()["live"] is True
        assert theirs.get(link(mine, blob, path)).content == b"mine"  # who has the link may read


def test_scopes(teams, path):
    server, _, keys = teams
    with client_of(server, keys[0][1]) as mine:
        one = f"{path}/{put(mine, b'x', path)['id']}"
    team = keys[0][0]
    for scope, may_read, may_write in (("speech:read", True, False), ("speech:write", False, True),
                                       ("usage:read", False, False)):
        key = admin(server, "create-key", team, "--scope", scope)["key"]
        with client_of(server, key) as http:
            for response, may in ((http.get(path), may_read), (http.get(one), may_read),
                                  (http.post(path, content=b"x"), may_write),
                                  (http.post(one + "/link", json={"expires_in": 9}), may_write),
                                  (http.delete(f"{path}/blob_{'0' * 32}"), may_write)):
                assert (response.status_code != 403) == may, (scope, response.request.url)


def test_the_plan_is_full(teams, path):
    server, _, keys = teams
    with client_of(server, keys[1][1]) as http:
        first = put(http, path=path)
        refused(http.post(path, content=CONTENT), 402, "storage_quota_exceeded")
        assert http.delete(f"{path}/{first['id']}").status_code == 204
        assert http.delete(f"{path}/{put(http, path=path)['id']}").status_code == 204


def test_the_database_away(teams):
    server, cluster, keys = teams
    with client_of(server, keys[0][1]) as http:
        blob = put(http, b"x")
        urls = {path: link(http, blob, path) for path in PREFIXES}
        cluster.kill()
        try:
            for path, url in urls.items():
                one = f"{path}/{blob['id']}"
                for response in (http.get(path), http.post(path, content=b"x"), http.get(one),
                                 http.delete(one), http.post(one + "/link", json={"expires_in": 9}),
                                 http.get(url)):
                    assert response.status_code == 503
                    assert "retry-after" in response.headers
        finally:
            cluster.start()
        wait_until(lambda: http.get(urls["/api/blobs"]).status_code == 200, 20, "the database")
