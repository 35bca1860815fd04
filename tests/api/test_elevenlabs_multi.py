"""ElevenLabs' multi-stream-input, with the messages that pipecat and LiveKit send."""

import time

import httpx

from support.audio import decode
from support.elevenlabs_sockets import MULTI, PCM, audio_of, characters, heard_after
from support.server import wait_until
from support.sockets import connect, receive, send, until_closed


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
        send(ws, text="Hello from the first turn.", context_id="t1")  # without a space
        send(ws, text="", context_id="t1")
        send(ws, text="And one more sentence.", context_id="t1")
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
