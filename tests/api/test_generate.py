"""POST /v1/generate and /v1/generate/stream: the native door."""

import json
import struct

import numpy as np
import pytest

from support.audio import align, decode

TEXT = "The quick brown fox jumps over the lazy dog near the river."
FORMATS = ["wav", "mp3", "opus", "flac", "aac", "pcm", "ulaw", "alaw"]
MEDIA_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "opus": "audio/ogg", "flac": "audio/flac",
               "aac": "audio/aac", "pcm": "audio/pcm", "ulaw": "audio/basic",
               "alaw": "audio/PCMA"}


def speak(http, path="/v1/generate", **body):
    body.setdefault("text", TEXT)
    response = http.post(path, json=body)
    assert response.status_code == 200, response.text
    return response


def sound(response, name="wav"):
    return decode(response.content, name, int(response.headers["x-voiceflow-sample-rate"]))


@pytest.fixture(scope="module")
def reference(http):
    return sound(speak(http, voice="slt"))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_decodes_to_the_same_speech(http, reference, name):
    response = speak(http, voice="slt", format=name)
    assert response.headers["content-type"] == MEDIA_TYPES[name]
    assert int(response.headers["content-length"]) == len(response.content)
    heard = sound(response, name)
    assert heard.seconds == pytest.approx(reference.seconds,
                                          abs=max(0.01 * reference.seconds, 0.15))
    words = align(heard, ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog",
                          "near", "the", "river"])
    assert words, "the first to the last word are not all heard"
    assert words[0][0] == "the" and words[-1][0] == "river"
    assert words[-1][2] <= heard.seconds + 0.01


def test_a_whole_wav_says_its_exact_sizes(http):
    body = speak(http, voice="slt").content
    riff, size, wave = struct.unpack("<4sI4s", body[:12])
    assert (riff, wave, size) == (b"RIFF", b"WAVE", len(body) - 8)
    at = body.index(b"data")
    assert struct.unpack("<I", body[at + 4:at + 8])[0] == len(body) - at - 8


def test_a_streamed_wav_does_not_pretend_to_know(http, server):
    with http.stream("POST", "/v1/generate/stream", json={"text": TEXT, "voice": "slt"}) as reply:
        body = reply.read()
        assert reply.headers["transfer-encoding"] == "chunked"
    assert struct.unpack("<I", body[4:8])[0] == 0xFFFFFFFF


@pytest.mark.parametrize("name", ["pcm", "ulaw"])
def test_whole_and_streamed_carry_the_same_form(http, name):
    whole = speak(http, voice="slt", format=name)
    streamed = speak(http, "/v1/generate/stream", voice="slt", format=name)
    # flite's noise excitation differs at each call, the timing does not.
    assert abs(len(whole.content) - len(streamed.content)) <= 0.01 * len(whole.content)


def test_aliases_speak_too(http):
    assert len(speak(http, "/generate", format="pcm").content) > 24000
    assert len(speak(http, "/generate/stream", format="pcm").content) > 24000


def test_a_form_speaks_like_json(http):
    response = http.post("/v1/generate", files={
        "text": (None, TEXT), "voice": (None, "slt"), "format": (None, "mp3"),
        "speed": (None, "1.25"), "sample_rate": (None, "24000")})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "audio/mpeg"
    assert sound(response, "mp3").seconds > 1


@pytest.mark.parametrize("voice", ["slt", "kal16", "rms", "espeak-en-us"])
@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_speed_changes_the_duration(http, voice, speed):
    normal = sound(speak(http, voice=voice, format="pcm"), "pcm").seconds
    changed = sound(speak(http, voice=voice, format="pcm", speed=speed), "pcm").seconds
    assert changed == pytest.approx(normal / speed, rel=0.2, abs=0.25)


def median_f0(heard):
    """By autocorrelation, 80 ms windows (four periods of 50 Hz), voiced ones only."""
    size, values = int(heard.rate * 0.08), []
    for at in range(0, len(heard.samples) - size, size // 2):
        frame = heard.samples[at:at + size] - heard.samples[at:at + size].mean()
        power = (frame ** 2).mean()
        if power < 1e-4:
            continue
        spectrum = np.fft.rfft(frame, 2 * size)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:size]
        correlation /= 1 - np.arange(size) / size  # fewer products stand behind longer lags
        low, high = heard.rate // 500, heard.rate // 50
        lag = low + int(np.argmax(correlation[low:high]))
        if correlation[lag] > 0.5 * correlation[0]:
            values.append(heard.rate / lag)
    return float(np.median(values))


@pytest.mark.parametrize("voice", ["slt", "rms", "espeak-en-us"])
@pytest.mark.parametrize("semitones", [-6, 6])
def test_pitch_moves_the_fundamental(http, voice, semitones):
    normal = median_f0(sound(speak(http, voice=voice, format="pcm"), "pcm"))
    moved = median_f0(sound(speak(http, voice=voice, format="pcm", pitch=semitones), "pcm"))
    assert 12 * np.log2(moved / normal) == pytest.approx(semitones, abs=1.5)


def test_volume_changes_the_level(http):
    def level(**body):
        heard = sound(speak(http, voice="slt", format="pcm", **body), "pcm")
        return 10 * np.log10((heard.samples ** 2).mean())
    normal = level()
    assert level(volume=-12) - normal == pytest.approx(-12, abs=1)
    assert level(volume=4) - normal == pytest.approx(4, abs=1.5)


def test_sample_rates(http):
    for rate in (8000, 16000, 44100, 48000):
        response = speak(http, voice="slt", format="wav", sample_rate=rate)
        assert struct.unpack("<I", response.content[24:28])[0] == rate
    response = http.post("/v1/generate", json={"text": TEXT, "format": "ulaw", "sample_rate": 24000})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/sample_rate"


def test_pauses_between_sentences_and_paragraphs(http):
    heard = sound(speak(http, voice="slt", format="wav",
                        text="This is one. This is two. This is three."))
    pauses = heard.pauses(at_least=0.2)
    assert len(pauses) == 2 and all(0.25 <= p <= 0.45 for p in pauses), pauses
    heard = sound(speak(http, voice="slt", format="wav", text="This is one.\n\nThis is two."))
    pauses = heard.pauses(at_least=0.2)
    assert len(pauses) == 1 and 0.5 <= pauses[0] <= 0.9, pauses


def test_joins_do_not_click(http):
    sentence = "We are all in the same room now."
    single = sound(speak(http, voice="slt", format="pcm", text=sentence), "pcm")
    limit = np.percentile(np.abs(np.diff(single.samples)), 99.9)
    joined = sound(speak(http, voice="slt", format="pcm", text=" ".join([sentence] * 4)), "pcm")
    flags = joined.loud()
    steps = np.abs(np.diff(joined.samples))
    size = joined.rate // 100
    for i, (a, b) in enumerate(zip(flags, flags[1:])):
        if a != b:  # an edge of a pause
            edge = steps[max(0, (i + 1) * size - size // 4):(i + 1) * size + size // 4]
            assert edge.max() <= limit


def test_the_language_chooses_a_voice(http):
    assert speak(http, language="de", text="Guten Tag.").headers["x-voiceflow-voice"].startswith(
        "espeak-de")
    assert speak(http, language="en").headers["x-voiceflow-voice"] == "alloy"
    for body in ({"language": "de", "voice": "slt"}, {"language": "xho-x"}, {"language": "english!"}):
        response = http.post("/v1/generate", json={"text": "Hi.", **body})
        assert response.status_code == 400
        assert response.json()["errors"][0]["pointer"] == "/language"


def test_characters_are_code_points(http):
    response = speak(http, text="Grüße, 你好 🎙 friend.")
    assert response.headers["x-voiceflow-characters"] == str(len("Grüße, 你好 🎙 friend."))
    assert http.post("/v1/generate", json={"text": "word " * 1000}).status_code == 200


PATHS = ["/v1/generate", "/v1/generate/stream", "/generate", "/generate/stream"]
WRONG = [
    ({"text": ""}, "/text", "text_empty"),
    ({"text": "a" * 5001}, "/text", "text_too_long"),
    ({"text": "..."}, "/text", "text_not_speakable"),
    ({"text": "Hi.", "voice": "nobody"}, "/voice", "voice_not_found"),
    ({"text": "Hi.", "voice": "../../etc/passwd"}, "/voice", "voice_not_found"),
    ({"text": "Hi.", "format": "exe"}, "/format", "format_not_supported"),
    ({"text": "Hi.", "speed": 9}, "/speed", "out_of_range"),
    ({"text": "Hi.", "speed": "fast"}, "/speed", "wrong_type"),
    ({"text": "Hi.", "pitch": 13}, "/pitch", "out_of_range"),
    ({"text": "Hi.", "volume": -21}, "/volume", "out_of_range"),
    ({"text": "Hi.", "sample_rate": 12345}, "/sample_rate", "unsupported_sample_rate"),
    ({"text": "Hi.", "colour": "red"}, "/colour", "unknown_member"),
    ({"txt": "Hi."}, "/txt", "unknown_member"),
    ({}, "/text", "required"),
    ({"text": "Hi.", "ssml": "<speak>Hi.</speak>"}, "/ssml", "conflict"),
    ({"text": "Hi.", "normalisation": {"off": ["dates", "taste"]}}, "/normalisation/off",
     "unknown_rule"),
    ({"text": "Hi.", "normalisation": {"emoji": "sing"}}, "/normalisation/emoji", "invalid_value"),
    ({"text": "Hi.", "brightness": 13}, "/brightness", "out_of_range"),
    ({"text": "Hi.", "seed": -1}, "/seed", "out_of_range"),
    ({"text": 7}, "/text", "wrong_type"),
    ({"text": None}, "/text", "required"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body, pointer, code", WRONG)
def test_wrong_fields_are_named(http, path, body, pointer, code):
    response = http.post(path, json=body)
    assert response.status_code == 400
    problem = response.json()
    assert {"pointer": pointer, "code": code}.items() <= problem["errors"][0].items(), problem
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"].endswith(".")


RAW_WRONG = [
    (b"", "application/json", 400, "malformed_json"),
    (b"{", "application/json", 400, "malformed_json"),
    (b"text=hello", "application/json", 400, "malformed_json"),
    (b'{"text":"a","text":"b"}', "application/json", 400, "invalid_request"),
    (b'{"text":"\xff\xfe"}', "application/json", 400, "invalid_utf8"),
    (b"[" * 10000, "application/json", 400, "json_too_deep"),
    (b'{"text":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, "application/json", 400, "json_too_deep"),
    (b'{"text":"hi"}', "text/plain", 415, None),
    (b'{"text":"hi"}', "application/x-www-form-urlencoded", 415, None),
    (b"--x\r\n", "multipart/form-data", 400, None),
    (b"no boundary here", "multipart/form-data; boundary=x", 400, None),
    (b'{"text":"' + b"a" * 10_000_000 + b'"}', "application/json", 413, None),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body, media_type, status, code", RAW_WRONG)
def test_wrong_bodies_are_refused(http, path, body, media_type, status, code):
    response = http.post(path, content=body, headers={"Content-Type": media_type})
    assert response.status_code == status, response.text
    if code:
        assert response.json()["code"] == code


def test_a_body_without_a_length_is_411(server):
    from support.raw import exchange
    for path in PATHS:
        reply = exchange(server.port, f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/json\r\nConnection: close\r\n\r\n")
        assert reply.status == 411
        reply.check("POST", path)


@pytest.mark.parametrize("text", [
    "7" * 2000,
    "a" * 5000,
    "nul \x00 bytes \x01\x1f and \ufeff\u202e\u200b marks",
    "<speak><audio src='/tmp/x;touch /tmp/vf-pwned'/>Hello<break time='9999s'/></speak>",
    "[[h@'loU]] &lt; & <![CDATA[x]]> ${HOME} `id` $(id)",
    "e\u0301" * 2000,
    "\U0001F399 Hello \U0001F600",
    "A. B. C. " * 500,
])
@pytest.mark.parametrize("voice", ["slt", "espeak-en-us"])
def test_nasty_texts_become_clean_audio(http, tmp_path, voice, text):
    import os
    response = http.post("/v1/generate", json={"text": text, "voice": voice, "format": "mp3"})
    assert response.status_code == 200, response.text
    heard = sound(response, "mp3")
    assert heard.seconds > 0.2
    assert np.isfinite(heard.samples).all() and np.abs(heard.samples).max() <= 1.0
    assert not os.path.exists("/tmp/vf-pwned")


def test_markup_is_spoken_not_obeyed(http):
    with_break = sound(speak(http, voice="slt", text="Hello <break time='5s'/> world."))
    assert with_break.seconds < 6 and not [p for p in with_break.pauses() if p > 1]


def test_no_worker_is_lost_by_all_of_this(http):
    engines = http.get("/api/server").json()["engines"]
    assert sum(engine["restarts"] for engine in engines) == 0, engines


def test_request_ids_go_in_and_out(http):
    response = http.post("/v1/generate", json={"text": "Hi."}, headers={"X-Request-Id": "my-id.1"})
    assert response.headers["x-request-id"] == "my-id.1"
    for bad in ("with space", "x" * 129, "näh".encode()):
        response = http.get("/health", headers={"X-Request-Id": bad})
        assert response.headers["x-request-id"].startswith("req_")


def test_no_text_in_the_log(server, http):
    marker = "xylophonequartz"
    speak(http, text=f"The {marker} plays.")
    http.post("/v1/generate", json={"text": marker, "voice": "nobody"})
    http.get("/api/voices", params={"search": marker})
    http.get("/health")
    assert not [line for line in server.log if marker in line]
    assert any('"route":"/v1/generate"' in line for line in server.log) or server.log
    for line in server.log:
        json.loads(line)
