"""POST /v1/generate/stream with times: as Server-Sent Events and as lines of JSON."""

import base64
import json

import httpx
import pytest

TEXT = "Hello there, Zoë! It costs $12.50 now. \U0001f600 Fine."
EVENTS, LINES = "text/event-stream", "application/x-ndjson"


def stream(server, accept, **body):
    body = {"text": TEXT, "voice": "slt", "format": "pcm", **body}
    return httpx.post(server.url + "/v1/generate/stream", json=body, headers={"Accept": accept})


def events_of(reply):
    if reply.headers["content-type"] == LINES:
        assert reply.text.endswith("\n")
        return [json.loads(line) for line in reply.text.split("\n")[:-1]]
    events = []
    for block in reply.text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == "event: " + events[-1]["type"]
    return events


def gather(events, name):
    return [item for event in events for item in event.get(name, [])]


@pytest.mark.parametrize("accept", [EVENTS, LINES])
@pytest.mark.parametrize("voice", ["slt", "espeak-en-us"])
def test_audio_and_times(server, accept, voice):
    reply = stream(server, accept, voice=voice)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == accept
    events = events_of(reply)
    assert [event["type"] for event in events] == ["audio"] * (len(events) - 1) + ["done"]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    rate = int(reply.headers["x-voiceflow-sample-rate"])
    done = events[-1]
    assert abs(len(audio) / 2 / rate - done["duration"]) < 1e-3
    assert done["timing"] == "engine"
    clock = 0
    for event in events[:-1]:
        assert event["start"] == pytest.approx(clock, abs=1e-3) and event["end"] >= event["start"]
        clock = event["end"]
    assert clock == pytest.approx(done["duration"], abs=1e-3)

    characters = gather(events, "characters")
    assert "".join(c["text"] for c in characters) == TEXT
    raw = TEXT.encode()
    last = 0
    for c in characters:
        assert TEXT[c["text_begin"]:c["text_end"]] == c["text"]
        assert raw[c["byte_begin"]:c["byte_end"]].decode() == c["text"]
        assert last <= c["start"] <= c["end"] <= done["duration"] + 1e-3
        last = c["end"]
    words = gather(events, "words")
    spelled = {w["text"] for w in words}
    assert {"Hello", "there", "Zoë", "costs", "$12.50", "now", "Fine"} <= spelled
    for w in words:
        assert TEXT[w["text_begin"]:w["text_end"]] == w["text"]
    starts = [w["start"] for w in words]
    assert starts == sorted(starts)
    phonemes = gather(events, "phonemes")
    assert len(phonemes) > 20
    visemes = gather(events, "visemes")
    assert len(visemes) >= len(phonemes) and {v["id"] for v in visemes} <= set(range(22))


def test_the_samples_are_those_of_the_other_forms(server):
    whole = httpx.post(server.url + "/v1/generate",
                       json={"text": TEXT, "voice": "espeak-en-us", "format": "pcm"})
    lines = stream(server, LINES, voice="espeak-en-us")
    audio = b"".join(base64.b64decode(e["audio"]) for e in events_of(lines)[:-1])
    # espeak differs by one or two per cent from call to call.
    assert abs(len(audio) - len(whole.content)) < 0.05 * len(audio)


def test_the_form_follows_accept(server):
    for accept, expected in [("*/*", "audio/pcm"), ("", "audio/pcm"), ("audio/mpeg", "audio/pcm"),
                             ("application/octet-stream", "audio/pcm"),
                             ("text/event-stream, */*;q=0.1", EVENTS),
                             ("application/x-ndjson;q=0.9, text/event-stream;q=0.2", LINES)]:
        reply = stream(server, accept)
        assert reply.headers["content-type"] == expected, accept
        assert reply.headers["vary"] == "Accept"
    for path in ("/v1/generate/stream", "/generate/stream"):
        refused = httpx.post(server.url + path, json={"text": TEXT}, headers={"Accept": "image/png"})
        assert refused.status_code == 406 and refused.json()["code"] == "not_acceptable"


def test_errors_before_the_first_byte_have_a_status(server):
    assert stream(server, LINES, text="").status_code == 400
    assert stream(server, EVENTS, voice="nobody").json()["code"] == "voice_not_found"


def test_what_breaks_off_says_so(fake_server):
    events = []
    body = {"text": "This one breaks off.", "voice": "fake-crash", "format": "pcm"}
    with httpx.stream("POST", fake_server.url + "/v1/generate/stream", json=body,
                      headers={"Accept": LINES}) as reply:
        assert reply.status_code in (200, 503)
        if reply.status_code == 503:
            return  # it broke before the first byte
        with pytest.raises(httpx.RemoteProtocolError):
            for line in reply.iter_lines():
                events.append(json.loads(line))
    assert events[-1]["type"] == "error" and events[-1]["code"] == "engine_failed"
    assert events[-1]["request_id"]


def test_lies_about_times_are_not_passed_on(fake_server):
    reply = stream(fake_server, LINES, text="Unlike the others.", voice="fake-lie-events")
    assert reply.status_code in (503, 400)


def test_each_sentence_in_its_own_language(server):
    text = ("This is an English sentence, nothing else. Dies hier ist ein deutscher Satz. "
            "And now we are back in English again.")
    reply = stream(server, LINES, text=text, language="auto")
    words = [w["text"] for w in gather(events_of(reply), "words")]
    assert words == text.replace(",", "").replace(".", "").split()
    phonemes = gather(events_of(reply), "phonemes")
    begin, end = text.index("Dies"), text.index(" And")
    german = "".join(p["ipa"] for p in phonemes if begin <= p["text_begin"] < end)
    assert "ɪç" in german or "ts" in german or "ç" in german, german
    lone = httpx.post(server.url + "/v1/generate", json={"text": "Dies ist ein deutscher Satz, und "
                                                         "zwar ein ganz gewöhnlicher.",
                                                         "language": "auto"})
    assert lone.headers["x-voiceflow-voice"].startswith("espeak-de")
