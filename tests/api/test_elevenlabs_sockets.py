"""ElevenLabs' sockets: stream-input and multi-stream-input, with the frames that real clients send."""

import base64
import json
import time

import httpx
import pytest
import websockets

from support.audio import align, decode
from support.server import Server, wait_until
from support.sockets import connect, receive, send, until_closed

SINGLE = "/v1/text-to-speech/slt/stream-input"
MULTI = "/v1/text-to-speech/slt/multi-stream-input"
PCM = "output_format=pcm_16000"


def audio_of(messages, context=None):
    return b"".join(base64.b64decode(m["audio"]) for m in messages
                    if m.get("audio") and m.get("contextId") == context)


def speak(server, texts, query=PCM, first=None, path=SINGLE):
    """All messages of one speech, and the close code."""
    with connect(server, f"{path}?{query}") as ws:
        send(ws, text=" ", **(first or {}))
        for text in texts:
            send(ws, text=text)
        send(ws, text="")
        return until_closed(ws)


def characters(messages, kind="alignment", context=None):
    """(character, start, end) in seconds on the whole clock, as clients add the spans up."""
    clock, found = 0.0, []
    for message in messages:
        alignment = message.get(kind)
        if message.get("contextId") != context or not alignment:
            continue
        chars, starts, spans = (alignment[key] for key in
                                ("chars", "charStartTimesMs", "charDurationsMs"))
        assert len(chars) == len(starts) == len(spans)
        assert all(isinstance(n, int) and n >= 0 for n in starts + spans)
        assert starts == sorted(starts)
        found += [(c, clock + s / 1000, clock + (s + d) / 1000)
                  for c, s, d in zip(chars, starts, spans)]
        clock += (starts[-1] + spans[-1]) / 1000
    return found, clock


def test_text_word_by_word_becomes_audio_with_characters(server):
    text = "The quick brown fox jumps over the lazy dog. It had 12 apples. "
    messages, code = speak(server, [word + " " for word in text.split()])
    assert code == 1000
    *chunks, last = messages
    assert last == {"audio": None, "isFinal": True, "alignment": None, "normalizedAlignment": None}
    assert all(m["isFinal"] in (None, False) and "message" not in m and "contextId" not in m
               for m in chunks)
    pcm = audio_of(chunks)
    found, clock = characters(chunks)
    assert "".join(c for c, *_ in found).strip() == text.strip()
    assert abs(clock - len(pcm) / 32000) < 0.005  # the spans are the audio, to the end
    spoken, _ = characters(chunks, "normalizedAlignment")
    assert spoken
    sound = decode(pcm, "pcm", rate=16000)
    words = align(sound, "the quick brown fox jumps over the lazy dog it had twelve apples".split())
    heard = {word: start for word, start, _ in words if not word.startswith("<")}
    told = {"".join(c for c, *_ in found)[i:i + 5]: found[i][1] for i in range(len(found))}
    for word in ("quick", "brown", "jumps"):
        assert abs(heard[word] - told[word]) < 0.08, (word, heard[word], told[word])


@pytest.mark.parametrize("name", ["mp3_44100_128", "mp3_22050_32", "pcm_8000", "pcm_44100",
                                  "ulaw_8000", "alaw_8000", "opus_48000_64", "wav_24000"])
def test_output_formats(server, name):
    messages, code = speak(server, ["Hello, world. "], f"output_format={name}")
    assert code == 1000
    codec, rate, *_ = name.split("_")
    sound = decode(audio_of(messages), codec, rate=int(rate))
    assert 0.6 < sound.seconds < 2.5 and sound.loud().any()


def test_what_clients_send_when_they_have_nothing_to_say(server):
    first = {"voice_settings": None, "generation_config": None, "try_trigger_generation": True,
             "pronunciation_dictionary_locators": None, "xi_api_key": None}
    for query in ("model_id=Ellipsis&" + PCM, PCM + "&language_code=&seed="):
        messages, code = speak(server, ["Hi. "], query, first)
        assert code == 1000 and audio_of(messages)


def test_nothing_to_say_at_all(server):
    for texts in ([], [" ", " "], ["... "]):
        messages, code = speak(server, texts)
        assert code == 1000 and messages[-1]["isFinal"] is True and not audio_of(messages)
    with connect(server, SINGLE) as ws:
        send(ws, text="")
        assert until_closed(ws)[1] == 1000


def heard_after(ws, seconds=0.4):
    """Messages until nothing comes for a while."""
    found = []
    try:
        while True:
            found.append(receive(ws, seconds))
    except TimeoutError:
        return found


def test_the_schedule_decides_when_to_speak(server):
    first = {"generation_config": {"chunk_length_schedule": [60]}}
    with connect(server, f"{SINGLE}?{PCM}") as ws:
        send(ws, text=" ", **first)
        send(ws, text="Fifty characters are not enough for this. ")
        assert heard_after(ws) == []
        send(ws, text="Now there are more than sixty. And some. ")
        assert audio_of(heard_after(ws))


def test_flush_trigger_and_auto_mode_speak_earlier(server):
    sentence = "A sentence that waits for nothing at all, being whole. "
    for query, frame in [(PCM, {"flush": True}), (PCM, {"try_trigger_generation": True}),
                         (PCM + "&auto_mode=true", {})]:
        with connect(server, f"{SINGLE}?{query}") as ws:
            send(ws, text=" ")
            send(ws, text=sentence, **frame)
            assert audio_of(heard_after(ws)), (query, frame)
    with connect(server, f"{SINGLE}?{PCM}") as ws:
        send(ws, text=" ")
        send(ws, text="Unfinished and short ", try_trigger_generation=True)
        assert heard_after(ws) == []
        send(ws, flush=True)
        assert audio_of(heard_after(ws))


def test_first_audio_comes_with_the_first_sentence(server):
    speak(server, ["Warm. "])
    with connect(server, f"{SINGLE}?{PCM}&auto_mode=true") as ws:
        send(ws, text=" ")
        for word in "The first sentence is whole now.".split():
            send(ws, text=word + " ")
        started = time.monotonic()
        assert receive(ws)["audio"]
        assert time.monotonic() - started < 0.5


def test_voice_settings_change_the_sound(server):
    def seconds(settings):
        messages, _ = speak(server, ["How long does this sentence take? "], PCM,
                            {"voice_settings": settings})
        return len(audio_of(messages))
    plain = seconds(None)
    assert seconds({"stability": 0.5, "similarity_boost": 0.75, "style": 0,
                    "use_speaker_boost": True, "speed": 1}) == plain
    assert seconds({"speed": 0.7}) > 1.2 * plain
    assert seconds({"speed": 1.2}) < 0.95 * plain


def test_ssml_is_read_where_it_is_switched_on(server):
    text = 'One. <break time="1.5s"/> Two. '
    marked, code = speak(server, [text], PCM + "&enable_ssml_parsing=true")
    assert code == 1000
    assert max(decode(audio_of(marked), "pcm", rate=16000).pauses()) > 1.3


@pytest.mark.parametrize("query, name", [
    ("model_id=tts-1", "unsupported_model"), ("output_format=mp3", "invalid_output_format"),
    ("inactivity_timeout=181", "invalid_parameters"), ("auto_mode=perhaps", "invalid_parameters")])
@pytest.mark.parametrize("path", [SINGLE, MULTI])
def test_a_wrong_query(server, path, query, name):
    with connect(server, f"{path}?{query}") as ws:
        messages, code = until_closed(ws)
    assert code == 1008 and messages[0]["error"] == name and messages[0]["code"] == 1008
    assert messages[0]["param"] == query.split("=")[0] and messages[0]["message"]


@pytest.mark.parametrize("frame, name", [
    ({"text": "Hello"}, "invalid_first_message"), ({"flush": True}, "invalid_first_message"),
    ({"text": 7}, "invalid_parameters"),
    ({"text": " ", "generation_config": {"chunk_length_schedule": [49]}}, "invalid_parameters"),
    ({"text": " ", "voice_settings": {"stability": 2}}, "invalid_voice_settings"),
    ({"text": " ", "voice_settings": 3}, "invalid_voice_settings")])
def test_a_wrong_first_message(server, frame, name):
    with connect(server, SINGLE) as ws:
        send(ws, **frame)
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["error"] == name and "isFinal" not in messages[-1]


@pytest.mark.parametrize("path", [SINGLE, MULTI])
@pytest.mark.parametrize("data, code", [("{", 1008), ("[]", 1008), ("", 1008), ("null", 1008),
                                        (b"\0\1\2", 1003), (b'{"text":" "}', 1003)])
def test_messages_that_are_none(server, path, data, code):
    with connect(server, path) as ws:
        ws.send(data)
        messages, closed = until_closed(ws)
    assert closed == code and messages[0]["code"] == code and messages[0]["error"]


def test_a_voice_that_is_not_there(server):
    messages, code = speak(server, ["Hi."], path=SINGLE.replace("slt", "nobody"))
    assert code == 1008 and messages[-1]["error"] == "voice_not_found"
    with connect(server, MULTI.replace("slt", "nobody")) as ws:
        send(ws, text=" ", context_id="c1")
        message = receive(ws)
        assert message["error"] == "voice_not_found" and message["contextId"] == "c1"
        send(ws, close_socket=True)
        assert until_closed(ws)[1] == 1000


def test_silence_past_the_time_out(server):
    for path in (SINGLE, MULTI):
        with connect(server, f"{path}?inactivity_timeout=1") as ws:
            send(ws, text=" ", **({"context_id": "c"} if path == MULTI else {}))
            messages, code = until_closed(ws, 6)
        assert code == 1008 and messages[-1]["error"] == "input_timeout_exceeded", path
    # Keep-alives hold it open.
    with connect(server, f"{SINGLE}?inactivity_timeout=1&{PCM}") as ws:
        send(ws, text=" ")
        send(ws, text="Hello there. ")
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert heard_after(ws, 0.3) == []
            send(ws, text=" ")
        send(ws, text="")
        messages, code = until_closed(ws)
    assert code == 1000 and audio_of(messages)


def test_too_much_text(server):
    with connect(server, SINGLE) as ws:
        send(ws, text=" ")
        send(ws, text="word " * 10_000)
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["error"] == "text_too_long"


# multi-stream-input

def open_context(ws, context, **more):
    send(ws, text=" ", context_id=context, **more)


def finals(messages):
    return [m["contextId"] for m in messages if m.get("isFinal")]


def test_contexts_are_spoken_beside_each_other(server):
    texts = {f"c{i}": f"This is the context with the number {i}, and it has its own words. " * 3
             for i in range(3)}
    with connect(server, f"{MULTI}?{PCM}") as ws:
        for context, text in texts.items():
            open_context(ws, context)
            send(ws, text=text, context_id=context, flush=True)
        for context in texts:
            send(ws, context_id=context, close_context=True)
        messages = []
        while len(finals(messages)) < 3:
            messages.append(receive(ws))
        send(ws, close_socket=True)
        rest, code = until_closed(ws)
    assert code == 1000 and not rest
    order = [m["contextId"] for m in messages if m.get("audio")]
    assert order != sorted(order), "one after the other"
    for context, text in texts.items():
        found, clock = characters(messages, context=context)
        assert "".join(c for c, *_ in found).strip() == text.strip()
        assert abs(clock - len(audio_of(messages, context)) / 32000) < 0.005
        # The end of a context comes after all of its audio.
        mine = [m for m in messages if m["contextId"] == context]
        assert mine[-1]["isFinal"] is True


def test_what_pipecat_sends(server):
    """Its keep-alives have no context; it flushes, and closes the context at the end of its turn."""
    query = "model_id=eleven_flash_v2_5&output_format=pcm_24000&auto_mode=true"
    with connect(server, f"{MULTI}?{query}", additional_headers={"xi-api-key": "k"}) as ws:
        send(ws, text="")
        send(ws, text=" ", context_id="t1", voice_settings={"stability": 0.5, "speed": 1.0})
        send(ws, text="Hello from the first turn. ", context_id="t1")
        send(ws, text="", context_id="t1")
        send(ws, text="And one more sentence. ", context_id="t1")
        send(ws, context_id="t1", flush=True)
        send(ws, context_id="t1", close_context=True)
        send(ws, text="", context_id="t1")  # a late keep-alive opens nothing
        messages = []
        while not finals(messages):
            messages.append(receive(ws))
        found, _ = characters(messages, context="t1")
        assert "".join(c for c, *_ in found).strip() == (
            "Hello from the first turn. And one more sentence.")
        send(ws, text="")
        assert heard_after(ws, 0.2) == []
        send(ws, close_socket=True)
        assert until_closed(ws)[1] == 1000


def test_what_livekit_sends(server):
    query = ("model_id=eleven_turbo_v2_5&output_format=mp3_22050_32&enable_ssml_parsing=false&"
             "enable_logging=true&inactivity_timeout=180&apply_text_normalization=auto&"
             "sync_alignment=true&auto_mode=true")
    with connect(server, f"{MULTI}?{query}", additional_headers={"xi-api-key": "k"}) as ws:
        for turn in ("s1", "s2"):
            send(ws, text=" ", voice_settings={}, context_id=turn)
            for sentence in ("One sentence of it.", "Another one."):
                send(ws, text=sentence + " ", context_id=turn, flush=True)
            send(ws, text="", context_id=turn, flush=True)
            send(ws, context_id=turn, close_context=True)
        messages = []
        while len(finals(messages)) < 2:
            messages.append(receive(ws))
    for turn in ("s1", "s2"):
        assert decode(audio_of(messages, turn), "mp3").seconds > 1
        normalised = "".join(c for m in messages if m["contextId"] == turn
                             for c in (m["normalizedAlignment"] or {"chars": []})["chars"])
        assert normalised.split() == "One sentence of it. Another one.".split()


def test_close_context_in_mid_generation_stops_at_once(fake_server):
    path = MULTI.replace("slt", "fake-slow") + "?output_format=pcm_16000&auto_mode=true"
    text = "Twenty letters here. " * 60
    with connect(fake_server, path) as ws:
        open_context(ws, "old")
        send(ws, text=text, context_id="old")
        while not receive(ws).get("audio"):
            pass
        send(ws, context_id="old", close_context=True)
        send(ws, text="Next turn. ", context_id="new", flush=True)
        started = time.monotonic()
        messages = []
        while "old" not in finals(messages):
            messages.append(receive(ws))
        assert time.monotonic() - started < 1
        messages = []
        while not audio_of(messages, "new"):
            messages.append(receive(ws))
        assert audio_of(messages, "old") == b""
        assert time.monotonic() - started < 3
        send(ws, context_id="new", close_context=True)
        while "new" not in finals(messages):
            messages.append(receive(ws))

    def idle():
        engines = httpx.get(fake_server.url + "/api/server").json()["engines"]
        return all(engine["busy"] == 0 for engine in engines)
    wait_until(idle, 2, "idle workers")


def test_a_context_that_fails_leaves_the_others(fake_server):
    path = MULTI.replace("slt", "fake-refuse") + "?" + PCM
    with connect(fake_server, path) as ws:
        for context in ("a", "b"):
            open_context(ws, context)
            send(ws, text="This will not be spoken. ", context_id=context, flush=True)
        messages = [receive(ws), receive(ws)]
        assert {m["contextId"] for m in messages} == {"a", "b"}
        assert all(m["error"] and m["message"] and "isFinal" not in m for m in messages)
        send(ws, close_socket=True)
        assert until_closed(ws)[1] == 1000


def test_a_single_speech_that_fails_says_so(fake_server):
    messages, code = speak(fake_server, ["This will not be spoken. "],
                           path=SINGLE.replace("slt", "fake-refuse"))
    assert code not in (1000, None) and messages[-1]["error"] and "message" in messages[-1]


def test_a_thousand_contexts(server):
    with connect(server, f"{MULTI}?{PCM}") as ws:
        for i in range(1000):
            open_context(ws, f"c{i}")
        errors = [receive(ws) for _ in range(990)]
        assert all(m["error"] == "max_contexts_exceeded" for m in errors)
        assert errors[0]["contextId"] == "c10"
        send(ws, text="Still here. ", context_id="c3", flush=True)
        send(ws, context_id="c3", close_context=True)
        messages = []
        while not finals(messages):
            messages.append(receive(ws))
        assert audio_of(messages, "c3")
        open_context(ws, "another")  # there is room again
        assert heard_after(ws, 0.2) == []


def test_an_idle_context_is_spoken_to_its_end(server):
    with connect(server, f"{MULTI}?{PCM}&inactivity_timeout=1") as ws:
        open_context(ws, "c")
        send(ws, text="Forgotten words", context_id="c")
        messages = []
        while not finals(messages):
            messages.append(receive(ws, 5))
        assert audio_of(messages, "c")


def test_without_a_name_it_is_the_default_context(server):
    with connect(server, f"{MULTI}?{PCM}") as ws:
        send(ws, text="No name. ", flush=True)
        assert receive(ws)["contextId"] == "default"


def test_close_socket_speaks_what_was_begun(server):
    with connect(server, f"{MULTI}?{PCM}") as ws:
        open_context(ws, "c")
        send(ws, text="This is spoken, although nobody flushed it", context_id="c")
        send(ws, close_socket=True)
        messages, code = until_closed(ws)
    assert code == 1000 and audio_of(messages, "c") and finals(messages) == ["c"]


def test_a_failed_context_id_is_wrong_for_the_whole_socket(server):
    with connect(server, MULTI) as ws:
        send(ws, text=" ", context_id="x" * 200)
        messages, code = until_closed(ws)
    assert code == 1008 and messages[-1]["param"] == "context_id"


def test_usage_is_written_once_for_a_socket(server):
    def characters_used():
        body = httpx.get(server.url + "/api/usage").json()
        return json.dumps(body)
    before = characters_used()
    speak(server, ["Counted. "])
    wait_until(lambda: characters_used() != before, 10, "usage")
