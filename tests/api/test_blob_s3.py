"""Stored objects in an S3 storage that is not ours: OpenStack Swift, with boto3 as second opinion."""

import hashlib
import itertools

import httpx
import pytest
from support import swift as swift_support
from support.server import Server, wait_until

CONTENT = bytes(i * 31 % 251 for i in range(300_000))
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def swift():
    missing = swift_support.why_not()
    assert missing is None, missing
    running = swift_support.Swift()
    yield running
    running.close()


def new_bucket(swift):
    name = f"bucket-{next(NUMBERS)}"
    swift.client().create_bucket(Bucket=name)
    return name


def usable(server):
    wait_until(lambda: httpx.get(server.url + "/api/blobs").status_code == 200, 20, "the server")
    return server


@pytest.fixture(scope="module")
def bucket(swift):
    return new_bucket(swift)


@pytest.fixture(scope="module")
def server(swift, bucket):
    running = usable(Server(settings=swift.settings(bucket, BLOB_S3_PART_BYTES="5MiB")))
    yield running
    assert running.stop() == 0
    running.close()


def put(server, content, **query):
    response = httpx.post(server.url + "/api/blobs", content=content, params=query, timeout=60)
    assert response.status_code == 201, response.text
    return response.json()


def read(server, blob, **headers):
    made = httpx.post(f"{server.url}/api/blobs/{blob['id']}/link", json={"expires_in": 600})
    return httpx.get(server.url + made.json()["url"], headers=headers, timeout=60)


def keys(swift, bucket):
    page = swift.client().list_objects_v2(Bucket=bucket)
    return sorted(item["Key"] for item in page.get("Contents", []))


def key_of(blob):
    return "voiceflow/" + blob["id"].removeprefix("blob_")


def events(server, name):
    return [line for line in server.log if f'"{name}"' in line]


@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000])
def test_what_is_stored_is_served_and_sealed(swift, bucket, server, size):
    content = CONTENT[:size]
    blob = put(server, content)
    sealed = swift.client().get_object(Bucket=bucket, Key=key_of(blob))["Body"].read()
    chunks = max(1, -(-size // 65_536))
    assert len(sealed) == size + 16 * chunks
    assert size < 40 or content[:40] not in sealed
    response = read(server, blob)
    assert (response.status_code, response.content) == (200, content)


def test_ranges(server):
    blob = put(server, CONTENT)
    for first, last in ((0, 0), (65_535, 65_536), (131_072, 299_999), (299_999, 299_999)):
        response = read(server, blob, Range=f"bytes={first}-{last}")
        assert (response.status_code, response.content) == (206, CONTENT[first:last + 1])


def test_large_objects_go_in_parts(swift, bucket, server):
    content = CONTENT * 45  # 13.5 MB: parts of 5, 5 and 3.5
    blob = put(server, content)
    head = swift.client().head_object(Bucket=bucket, Key=key_of(blob))
    assert head["ETag"].strip('"').endswith("-3")
    assert not swift.client().list_multipart_uploads(Bucket=bucket).get("Uploads")
    response = read(server, blob)
    assert hashlib.sha256(response.content).hexdigest() == blob["sha256"]
    middle = read(server, blob, Range="bytes=5242000-5243999")
    assert middle.content == content[5_242_000:5_244_000]


def test_only_our_keys_are_there_and_deleting_empties_the_bucket(swift):
    bucket = new_bucket(swift)
    server = usable(Server(settings=swift.settings(bucket, BLOB_S3_PREFIX="a b/ü+/")))
    try:
        blobs = [put(server, CONTENT[:n], name="../../etc/passwd") for n in (1, 2, 3)]
        assert keys(swift, bucket) == sorted(
            key_of(b).replace("voiceflow/", "a b/ü+/") for b in blobs)
        assert read(server, blobs[2]).content == CONTENT[:3]
        for blob in blobs:
            assert httpx.delete(f"{server.url}/api/blobs/{blob['id']}").status_code == 204
        wait_until(lambda: not keys(swift, bucket), 20, "the sweep")
        assert server.stop() == 0
    finally:
        server.close()


def test_the_wrong_secret_is_said_and_nothing_is_lost(swift):
    bucket = new_bucket(swift)
    server = usable(Server(settings=swift.settings(bucket)))
    try:
        blob = put(server, CONTENT)
        assert server.stop() == 0
        server.settings["BLOB_S3_SECRET_KEY"] = "wrong"
        server.start()
        usable(server)
        response = httpx.post(server.url + "/api/blobs", content=b"x", timeout=60)
        assert (response.status_code, response.json()["code"]) == (503, "blob_storage_unavailable")
        assert "retry-after" in response.headers
        assert "wrong" not in response.text and swift.url not in response.text
        assert read(server, blob).status_code == 503
        assert httpx.get(f"{server.url}/api/blobs/{blob['id']}").status_code == 200
        wait_until(lambda: any("SignatureDoesNotMatch" in line and "s3_secret_key" in line
                               for line in events(server, "blob_storage_refused")),
                   what="a line for the operator")
        assert server.stop() == 0
        server.settings["BLOB_S3_SECRET_KEY"] = swift_support.SECRET_KEY
        server.start()
        usable(server)
        assert read(server, blob).content == CONTENT
        # What was refused was never there for readers, nor in the bucket.
        page = httpx.get(server.url + "/api/blobs").json()
        assert [one["id"] for one in page["data"]] == [blob["id"]]
        assert keys(swift, bucket) == [key_of(blob)]
        assert server.stop() == 0
    finally:
        server.close()


def test_the_missing_bucket_is_said(swift):
    server = usable(Server(settings=swift.settings("no-such-bucket")))
    try:
        response = httpx.post(server.url + "/api/blobs", content=b"x", timeout=60)
        assert (response.status_code, response.json()["code"]) == (503, "blob_storage_unavailable")
        assert server.stop() == 0
    finally:
        server.close()


def test_damage_in_the_storage_is_found_out(swift, bucket, server):
    blob, other = put(server, CONTENT), put(server, CONTENT)
    client = swift.client()
    sealed = client.get_object(Bucket=bucket, Key=key_of(other))["Body"].read()
    client.put_object(Bucket=bucket, Key=key_of(blob), Body=sealed)
    assert read(server, blob).json()["code"] == "blob_damaged"
    client.delete_object(Bucket=bucket, Key=key_of(blob))
    assert read(server, blob).json()["code"] == "blob_not_found"
    assert read(server, other).content == CONTENT


def test_the_storage_away_and_back():
    missing = swift_support.why_not()
    assert missing is None, missing
    swift = swift_support.Swift()
    bucket = new_bucket(swift)
    server = usable(Server(settings=swift.settings(bucket)))
    try:
        blob = put(server, CONTENT)
        swift.stop()
        response = httpx.post(server.url + "/api/blobs", content=b"x", timeout=60)
        assert (response.status_code, response.json()["code"]) == (503, "blob_storage_unavailable")
        assert read(server, blob).status_code == 503
        assert httpx.get(server.url + "/ready").status_code == 200
        swift.start()
        assert read(server, blob).content == CONTENT
        assert read(server, put(server, b"after")).content == b"after"
        assert server.stop() == 0
    finally:
        server.close()
        swift.close()


def test_what_was_stored_in_files_stays_readable_after_a_change(swift):
    bucket = new_bucket(swift)
    server = usable(Server())
    try:
        blob = put(server, CONTENT)
        assert server.stop() == 0
        server.settings.update(swift.settings(bucket))
        server.start()
        usable(server)
        later = put(server, b"later")
        assert keys(swift, bucket) == [key_of(later)]
        assert read(server, blob).content == CONTENT
        assert read(server, later).content == b"later"
        assert server.stop() == 0
    finally:
        server.close()


def test_settings_that_cannot_work_end_the_start(swift):
    server = Server(settings=swift.settings("x", BLOB_S3_ENDPOINT="s3.example.com"), wait=False)
    try:
        assert server.process.wait(30) == 1
        wait_until(lambda: any("blob.s3_endpoint" in line for line in server.log), what="words")
    finally:
        server.close()
