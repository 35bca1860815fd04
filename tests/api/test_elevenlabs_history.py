"""History and dictionaries as ElevenLabs' clients use them; plain HTTP."""

import io
import subprocess
import time
import zipfile

import httpx
import pytest

from support.admin import team_with_key
from support.server import Server, wait_until

SPEAK = "/v1/text-to-speech/slt"
RULES = [{"type": "alias", "string_to_replace": "VF", "alias": "voice flow"}]
PLS = b"""<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon"
 alphabet="ipa" xml:lang="en-US"><lexeme><grapheme>VF</grapheme><alias>voice flow</alias></lexeme>
</lexicon>"""


@pytest.fixture(scope="module")
def server():
    server = Server(settings={"HISTORY_SWEEP_INTERVAL": "200ms"})
    yield server
    server.close()


def client_of(server, name, plan="pro"):
    _, key = team_with_key(server, name[:100], plan)
    return httpx.Client(base_url=server.url, headers={"xi-api-key": key}, timeout=60)


@pytest.fixture
def http(server, request):
    with client_of(server, request.node.name) as client:
        yield client


def code_of(response):
    return response.status_code, response.json()["detail"]["code"]


def speak(http, text, path=SPEAK, **query):
    response = http.post(path, params=query, json={"text": text})
    assert response.status_code == 200, response.text
    return response


def item_of(http, response):
    found = wait_until(lambda: [
        one for one in http.get("/v1/history").json()["history"]
        if one["history_item_id"] == response.headers["history-item-id"]], 10, "the item")
    return found[0]


@pytest.mark.parametrize("path", [SPEAK, SPEAK + "/stream"])
@pytest.mark.parametrize("form", ["mp3_44100_128", "wav_16000", "pcm_8000"])
def test_what_was_sent_is_kept(http, path, form):
    reply = speak(http, "Keep this for me.", path, output_format=form)
    item = item_of(http, reply)
    assert item["text"] == "Keep this for me." and item["request_id"] == reply.headers["request-id"]
    assert item["character_count_change_to"] - item["character_count_change_from"] == 17
    assert item["output_format"] == form and item["content_type"] == reply.headers["content-type"]
    assert "".join(item["alignments"]["alignment"]["characters"]) == item["text"]
    assert abs(item["date_unix"] - time.time()) < 60
    kept = http.get(f"/v1/history/{item['history_item_id']}/audio")
    assert kept.headers["content-type"] == item["content_type"]
    # A streamed WAV learns its sizes afterwards.
    skipped = 44 if form.startswith("wav") and path.endswith("stream") else 0
    assert kept.content[skipped:] == reply.content[skipped:]
    assert b"\xff\xff\xff\xff" not in kept.content[:44]


@pytest.mark.parametrize("path", [SPEAK + "/with-timestamps", SPEAK + "/stream/with-timestamps"])
def test_also_of_the_routes_with_times(http, path):
    item = item_of(http, speak(http, "Keep this too.", path))
    assert len(http.get(f"/v1/history/{item['history_item_id']}/audio").content) > 5000


def test_nothing_is_kept_when_that_is_asked_for(http):
    reply = speak(http, "Forget this.", enable_logging="false")
    assert "history-item-id" not in reply.headers
    item_of(http, speak(http, "But not this."))
    texts = [one["text"] for one in http.get("/v1/history").json()["history"]]
    assert texts == ["But not this."]
    gone = http.post(SPEAK, json={"text": "Go on.",
                                  "previous_request_ids": [reply.headers["request-id"]]})
    assert gone.status_code == 200


def test_a_refused_speech_is_not_kept(http):
    assert http.post(SPEAK, json={"text": ""}).status_code == 400
    item_of(http, speak(http, "Only this."))
    assert len(http.get("/v1/history").json()["history"]) == 1


def test_lists_and_filters(http):
    replies = [speak(http, f"Item number {i}.", SPEAK if i % 2 else SPEAK.replace("slt", "rms"))
               for i in range(5)]
    for reply in replies:
        item_of(http, reply)
    ids = [reply.headers["history-item-id"] for reply in replies]

    def found(**query):
        reply = http.get("/v1/history", params=query)
        assert reply.status_code == 200, reply.text
        return [one["history_item_id"] for one in reply.json()["history"]]
    assert found() == ids[::-1] and found(sort_direction="asc") == ids
    assert found(voice_id="rms") == [ids[4], ids[2], ids[0]]
    assert found(model_id="eleven_v3") == [] == found(source="STS")
    assert found(source="TTS") == ids[::-1]
    assert found(search="NUMBER 3") == [ids[3]]
    now = int(time.time())
    assert found(date_after_unix=now + 100) == [] and found(date_before_unix=now - 100) == []
    assert len(found(date_after_unix=now - 100, date_before_unix=now + 100)) == 5
    seen, after = [], None
    while True:
        query = {"page_size": 2, **({"start_after_history_item_id": after} if after else {})}
        page = http.get("/v1/history", params=query).json()
        seen += [one["history_item_id"] for one in page["history"]]
        after = page["last_history_item_id"]
        if not page["has_more"]:
            break
    assert seen == ids[::-1]


@pytest.mark.parametrize("query, code", [
    ({"page_size": 0}, "invalid_page_size"), ({"page_size": 1001}, "invalid_page_size"),
    ({"start_after_history_item_id": "x"}, "invalid_cursor"),
    ({"date_after_unix": "yesterday"}, "invalid_parameters"),
    ({"sort_direction": "up"}, "invalid_parameters")])
def test_wrong_queries(http, query, code):
    assert code_of(http.get("/v1/history", params=query)) == (400, code)


def test_deleting(http):
    item = item_of(http, speak(http, "Away with it."))["history_item_id"]
    before = [blob for blob in http.get("/api/blobs").json()["data"] if item in blob["name"]]
    assert len(before) == 1
    assert http.delete(f"/v1/history/{item}").json() == {"status": "ok"}
    for response in (http.get(f"/v1/history/{item}"), http.delete(f"/v1/history/{item}"),
                     http.get(f"/v1/history/{item}/audio"),
                     http.post("/v1/history/download", json={"history_item_ids": [item]})):
        assert code_of(response) == (404, "history_item_not_found")
    assert not [blob for blob in http.get("/api/blobs").json()["data"] if item in blob["name"]]


def test_downloads(http):
    replies = [speak(http, f"Part {i}.") for i in range(2)]
    ids = [item_of(http, reply)["history_item_id"] for reply in replies]
    one = http.post("/v1/history/download", json={"history_item_ids": ids[:1]})
    assert one.content == replies[0].content
    both = http.post("/v1/history/download", json={"history_item_ids": ids,
                                                   "output_format": "default"})
    assert both.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(both.content))
    assert archive.testzip() is None
    assert [archive.read(name) for name in archive.namelist()] == [r.content for r in replies]
    wav = http.post("/v1/history/download", json={"history_item_ids": ids, "output_format": "wav"})
    assert code_of(wav) == (400, "invalid_output_format")
    many = http.post("/v1/history/download", json={"history_item_ids": ids * 51})
    assert many.status_code == 422


def test_other_teams_see_nothing(server, http):
    item = item_of(http, speak(http, "This is mine."))["history_item_id"]
    with client_of(server, "Strangers of the history") as stranger:
        assert stranger.get("/v1/history").json()["history"] == []
        for response in (stranger.get(f"/v1/history/{item}"),
                         stranger.get(f"/v1/history/{item}/audio"),
                         stranger.delete(f"/v1/history/{item}"),
                         stranger.post("/v1/history/download",
                                       json={"history_item_ids": [item]})):
            assert code_of(response) == (404, "history_item_not_found")
    assert http.get(f"/v1/history/{item}").status_code == 200


def test_texts_stand_nowhere_in_the_clear(server, http):
    item_of(http, speak(http, "Rumpelstiltskin is my name."))
    subprocess.run(["sync"], check=True)
    found = subprocess.run(["grep", "-rlai", "rumpelstiltskin", str(server.data_dir)],
                           capture_output=True, text=True, check=False).stdout
    assert found == ""
    assert not [line for line in server.log if "rumpelstiltskin" in line.lower()]


def test_it_outlives_a_crash():
    server = Server()
    try:
        http = httpx.Client(base_url=server.url, timeout=60)
        reply = speak(http, "Still here.")
        item = item_of(http, reply)
        server.kill()
        server.start()
        http = httpx.Client(base_url=server.url, timeout=60)
        assert http.get(f"/v1/history/{item['history_item_id']}").json() == item
        assert http.get(f"/v1/history/{item['history_item_id']}/audio").content == reply.content
    finally:
        server.close()


def test_a_stop_writes_what_was_spoken():
    server = Server()
    try:
        reply = speak(httpx.Client(base_url=server.url, timeout=60), "At the last moment.")
        server.stop()
        server.start()
        found = httpx.get(f"{server.url}/v1/history/{reply.headers['history-item-id']}")
        assert found.json()["text"] == "At the last moment."
    finally:
        server.close()


def test_it_goes_when_its_time_is_over():
    server = Server(settings={"HISTORY_KEEP": "1s", "HISTORY_SWEEP_INTERVAL": "200ms",
                              "BLOB_SWEEP_INTERVAL": "200ms"})
    try:
        http = httpx.Client(base_url=server.url, timeout=60)
        reply = speak(http, "Gone soon.")
        item_of(http, reply)
        path = f"/v1/history/{reply.headers['history-item-id']}"
        wait_until(lambda: http.get(path).status_code == 404, 10, "the end of the item")
        wait_until(lambda: http.get("/api/blobs").json()["data"] == [], 10, "the end of its audio")
    finally:
        server.close()


def test_it_can_be_switched_off():
    server = Server(settings={"HISTORY_KEEP": "0s"})
    try:
        http = httpx.Client(base_url=server.url, timeout=60)
        assert "history-item-id" not in speak(http, "Never kept.").headers
        assert http.get("/v1/history").json()["history"] == []
    finally:
        server.close()


def test_without_room_the_text_is_kept():
    server = Server(settings={"HISTORY_MAX_AUDIO": "1000"})
    try:
        http = httpx.Client(base_url=server.url, timeout=60)
        item = item_of(http, speak(http, "Too long for its room."))
        audio = http.get(f"/v1/history/{item['history_item_id']}/audio")
        assert code_of(audio) == (404, "history_audio_not_found")
    finally:
        server.close()


# Dictionaries.

DICTIONARIES = "/v1/pronunciation-dictionaries"


def make(http, name="Words", rules=RULES):
    response = http.post(DICTIONARIES + "/add-from-rules", json={"name": name, "rules": list(rules)})
    assert response.status_code == 200, response.text
    return response.json()


def test_rules_and_versions(http):
    made = make(http)
    path = f"{DICTIONARIES}/{made['id']}"
    phoneme = {"type": "phoneme", "string_to_replace": "tomato", "phoneme": "T AH0 M AA1 T OW0",
               "alphabet": "cmu-arpabet"}
    added = http.post(path + "/add-rules", json={"rules": [phoneme]}).json()
    assert added["version_rules_num"] == 2
    assert http.get(path).json()["rules"][1]["phoneme"] == phoneme["phoneme"]
    replaced = http.post(path + "/add-rules", json={"rules": [
        {"type": "alias", "string_to_replace": "VF", "alias": "other"}]}).json()
    assert replaced["version_rules_num"] == 2
    assert http.get(path).json()["rules"][0]["alias"] == "other"
    removed = http.post(path + "/remove-rules", json={"rule_strings": ["tomato", "nothing"]}).json()
    assert removed["version_rules_num"] == 1
    emptied = http.post(path + "/set-rules", json={"rules": []}).json()
    assert emptied["version_rules_num"] == 0
    first = http.get(f"{path}/{made['version_id']}/download")
    assert b"voice flow" in first.content
    assert code_of(http.get(f"{path}/dver_x/download")) == (
        404, "pronunciation_dictionary_version_not_found")
    unknown = f"{path}/dver_{'0' * 32}/download"
    assert code_of(http.get(unknown)) == (404, "pronunciation_dictionary_version_not_found")


def test_pages_and_order(http):
    made = [make(http, name)["id"] for name in ("Bravo", "Alpha", "Charlie")]

    def ids(**query):
        reply = http.get(DICTIONARIES, params=query).json()
        return [one["id"] for one in reply["pronunciation_dictionaries"]], reply["next_cursor"]
    assert ids()[0] == made[::-1] and ids(sort_direction="ASCENDING")[0] == made
    assert ids(sort="name", sort_direction="asc")[0] == [made[1], made[0], made[2]]
    first, cursor = ids(page_size=2)
    assert first == made[:0:-1] and ids(page_size=2, cursor=cursor) == (made[:1], None)
    http.patch(f"{DICTIONARIES}/{made[0]}", json={"archived": True})
    assert made[0] not in ids()[0] and made[0] in ids(include_archived="true")[0]


@pytest.mark.parametrize("query, code", [
    ({"page_size": 101}, "invalid_page_size"), ({"cursor": "x"}, "invalid_cursor"),
    ({"sort": "mood"}, "invalid_parameters"), ({"sort_direction": "up"}, "invalid_parameters")])
def test_wrong_dictionary_queries(http, query, code):
    assert code_of(http.get(DICTIONARIES, params=query)) == (400, code)


def test_wrong_dictionaries(http):
    made = make(http)
    path = DICTIONARIES + "/add-from-rules"
    assert code_of(http.post(path, json={"name": "Words", "rules": RULES})) == (
        409, "resource_already_exists")
    upload = http.post(DICTIONARIES + "/add-from-file", data={"name": "Words"},
                       files={"file": ("a.pls", PLS)})
    assert code_of(upload) == (409, "resource_already_exists")
    make(http, "Others")
    other = make(http, "Third")["id"]
    assert code_of(http.patch(f"{DICTIONARIES}/{other}", json={"name": "Others"})) == (
        409, "resource_already_exists")
    assert code_of(http.patch(f"{DICTIONARIES}/{other}", json={"name": ""})) == (
        400, "invalid_name")
    for rule, where in [({"type": "alias", "string_to_replace": "a"}, "alias"),
                        ({"type": "phoneme", "string_to_replace": "a", "phoneme": "a"}, "alphabet"),
                        ({"type": "rhyme", "string_to_replace": "a"}, "type")]:
        response = http.post(path, json={"name": "New", "rules": [rule]})
        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["body", "rules", 0, where]
    bad = {"type": "phoneme", "string_to_replace": "a", "phoneme": "QQ", "alphabet": "cmu-arpabet"}
    assert code_of(http.post(path, json={"name": "New", "rules": [bad]})) == (
        400, "invalid_phonemes")
    file = http.post(DICTIONARIES + "/add-from-file", data={"name": "New"},
                     files={"file": ("a.pls", b"<lexicon")})
    assert file.status_code == 400 and "Line 1" in file.json()["detail"]["message"]
    assert made["name"] == "Words"


def test_stitching_knows_texts_that_are_not_written_yet(http):
    ids = [speak(http, f"Sentence number {i}.").headers["request-id"] for i in range(4)]
    reply = http.post(SPEAK, json={"text": "The end.", "previous_request_ids": ids[:3],
                                   "next_request_ids": ids[3:]})
    assert reply.status_code == 200
