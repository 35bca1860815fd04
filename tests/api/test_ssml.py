"""SSML through the native routes: what is heard, what is told, what is refused."""

import base64
import json

import httpx
import pytest

LINES = {"Accept": "application/x-ndjson"}


def speak(server, ssml, **body):
    return httpx.post(server.url + "/v1/generate/stream", headers=LINES,
                      json={"ssml": ssml, "voice": "slt", "format": "pcm", **body})


def read(reply):
    assert reply.status_code == 200, reply.text
    events = [json.loads(line) for line in reply.text.splitlines()]
    found = {name: [item for event in events[:-1] for item in event.get(name, [])]
             for name in ("words", "characters", "phonemes", "visemes", "marks")}
    found["duration"] = events[-1]["duration"]
    found["audio"] = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    return found


def test_the_markup_is_not_spoken_and_not_counted(server):
    ssml = '<speak>Hello <emphasis level="strong">big</emphasis> world.</speak>'
    reply = speak(server, ssml)
    found = read(reply)
    assert [w["text"] for w in found["words"]] == ["Hello", "big", "world"]
    assert "".join(c["text"] for c in found["characters"]) == "Hello big world."
    assert reply.headers["x-voiceflow-characters"] == str(len("Hello big world."))
    for word in found["words"]:
        assert ssml[word["text_begin"]:word["text_end"]] == word["text"]


def test_breaks_are_exact(server):
    plain = read(speak(server, "<speak>One. Two.</speak>"))["duration"]
    for pause in (0.5, 2.0, 4.0):
        ssml = f'<speak>One. <break time="{int(pause * 1000)}ms"/> Two.</speak>'
        assert read(speak(server, ssml))["duration"] - plain == pytest.approx(pause - 0.35, abs=0.1)
    lead = read(speak(server, '<speak><break time="1s"/>One. Two.<break time="1s"/></speak>'))
    assert lead["duration"] - plain == pytest.approx(2.0, abs=0.1)
    assert lead["words"][0]["start"] > 1.0


def test_marks_have_their_times(server):
    found = read(speak(server, '<speak><mark name="a"/>One two <mark name="b"/>three.'
                               '<break time="1s"/><mark name="c"/>Four.<mark name="d"/></speak>'))
    assert [m["name"] for m in found["marks"]] == ["a", "b", "c", "d"]
    at = {m["name"]: m["time"] for m in found["marks"]}
    start = {w["text"]: w["start"] for w in found["words"]}
    assert at["a"] == pytest.approx(start["One"], abs=0.01)
    assert at["b"] == pytest.approx(start["three"], abs=0.01)
    assert at["c"] == pytest.approx(start["Four"], abs=0.01)
    assert at["d"] > start["Four"]


def test_two_voices_of_different_rates_in_one_audio(server):
    found = read(speak(server, '<speak>Here I am. <voice name="espeak-en-us">And here is another.'
                               '</voice> Back again.</speak>'))
    words = [w["text"] for w in found["words"]]
    assert words == ["Here", "I", "am", "And", "here", "is", "another", "Back", "again"]
    starts = [w["start"] for w in found["words"]]
    assert starts == sorted(starts) and found["duration"] > starts[-1]


def test_prosody_changes_the_speed_of_its_words(server):
    plain = read(speak(server, "<speak>All of these words are spoken.</speak>"))["duration"]
    fast = read(speak(server, '<speak><prosody rate="200%">All of these words are spoken.</prosody>'
                              '</speak>'))["duration"]
    assert 0.4 < fast / plain < 0.68


@pytest.mark.parametrize("voice", ["slt", "kal16", "espeak-en-us"])
def test_phonemes_are_pronounced(server, voice):
    def ipa(ssml):
        return "".join(p["ipa"] for p in read(speak(server, ssml, voice=voice))["phonemes"])
    usual = ipa("<speak>I say tomato.</speak>")
    told = ipa('<speak>I say <phoneme alphabet="ipa" ph="bəˈnɑːnə">tomato</phoneme>.</speak>')
    assert usual != told
    assert "b" in told and "m" not in told.replace("mæ", "") or "n" in told
    assert told.count("n") >= 2


def test_alias_language_and_interpretation(server):
    found = read(speak(server, '<speak><sub alias="World Wide Web Consortium">W3C</sub></speak>'))
    assert [w["spoken"].lower() for w in found["words"]] == ["world", "wide", "web", "consortium"]
    assert {w["text"] for w in found["words"]} == {"W3C"}
    reply = speak(server, '<speak>She said <lang xml:lang="fr-FR">bonjour mes amis</lang>.</speak>')
    assert [w["text"] for w in read(reply)["words"]][-3:] == ["bonjour", "mes", "amis"]


def test_what_is_not_known_is_spoken_and_reported(server):
    reply = speak(server, '<speak>Hello <sparkle>dear</sparkle> <voice name="nobody">friend</voice>. '
                          '<audio src="http://127.0.0.1/x.wav">a sound</audio></speak>')
    assert [w["text"] for w in read(reply)["words"]] == ["Hello", "dear", "friend", "a", "sound"]
    warning = reply.headers["x-voiceflow-warning"]
    for part in ("sparkle", "nobody", "audio"):
        assert part in warning


WRONG = [
    ("<speak>One <b>two</speak>", "ssml_malformed", "line 1"),
    ("Hello", "ssml_", ""),
    ("<hello>there</hello>", "ssml_not_speak", "speak"),
    ("<speak>\n  <break time='soon'/>\n</speak>", "ssml_invalid_value", "line 2"),
    ("<speak><phoneme alphabet='ipa' ph='☃'>x</phoneme></speak>", "", "phoneme"),
    ("<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>", "ssml_malformed", ""),
    ("<speak>&lol;</speak>", "ssml_malformed", "entity"),
    ("<speak>" + "<s>" * 10_000 + "x" + "</s>" * 10_000 + "</speak>", "ssml_too_deep", ""),
    ("<speak>x" + "<break time='20s'/>" * 100 + "</speak>", "ssml_pause_too_long", ""),
    ("<speak>x" + "<mark name='a'/>" * 6_000 + "</speak>", "ssml_too_complex", ""),
    ("<speak></speak>", "text_not_speakable", ""),
    ("<speak>Hello <audio src='$(touch /tmp/x)'/>", "ssml_malformed", ""),
]


@pytest.mark.parametrize("ssml, code, part", WRONG, ids=range(len(WRONG)))
def test_wrong_documents_are_refused_with_their_place(server, ssml, code, part):
    reply = speak(server, ssml)
    assert reply.status_code == 400
    problem = reply.json()
    assert problem["code"].startswith(code) and part in problem["detail"], problem
    assert problem["errors"][0]["pointer"] == "/ssml"


def test_plain_text_is_never_markup(server):
    reply = httpx.post(server.url + "/v1/generate/stream", headers=LINES,
                       json={"text": "<speak>Hello</speak> <break time='3s'/>", "voice": "slt"})
    assert {"speak", "Hello", "break"} <= {w["text"].strip("<>/") for w in read(reply)["words"]}


def test_a_shell_in_an_address_reaches_nothing(server, tmp_path):
    target = tmp_path / "made"
    for src in (f"|touch {target}", f"`touch {target}`", f"file://{target}"):
        reply = speak(server, f'<speak>Hi <audio src="{src}">there</audio>.</speak>')
        assert reply.status_code == 200
    assert not target.exists()
