"""deepgram-sdk (Python), unmodified, against the real server."""

import asyncio
import threading

import pytest

from support.audio import align, decode

deepgram = pytest.importorskip("deepgram", reason="deepgram-sdk is not installed")

TEXT = "The official client speaks to this server."
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]


def environment(server):
    from deepgram.environment import DeepgramClientEnvironment
    sockets = server.url.replace("http", "ws")
    return DeepgramClientEnvironment(base=server.url, production=sockets, agent=sockets,
                                     agent_rest=server.url)


@pytest.fixture
def client(server):
    return deepgram.DeepgramClient(api_key="anything", environment=environment(server))


@pytest.mark.parametrize("options, name, rate", [
    ({}, "mp3", 0), ({"encoding": "linear16", "container": "wav", "sample_rate": 24000}, "wav", 0),
    ({"encoding": "mulaw", "container": "none", "sample_rate": 8000}, "ulaw", 8000),
    ({"encoding": "opus", "container": "ogg"}, "ogg", 0), ({"encoding": "aac"}, "aac", 0),
    ({"encoding": "flac", "sample_rate": 16000}, "flac", 0)])
def test_generate(client, options, name, rate):
    audio = b"".join(client.speak.v1.audio.generate(text=TEXT, model="aura-2-thalia-en", **options))
    heard = align(decode(audio, name, rate), WORDS)
    assert [word for word, *_ in heard if not word.startswith("<")] == WORDS


def test_errors_are_typed(client, server):
    from deepgram.core.api_error import ApiError
    with pytest.raises(ApiError) as caught:
        b"".join(client.speak.v1.audio.generate(text=TEXT, model="aura-2-nobody-en"))
    assert caught.value.status_code == 400 and caught.value.body["err_code"] == "MODEL_NOT_FOUND"
    wrong = deepgram.DeepgramClient(api_key="vf_live_wrong", environment=environment(server))
    with pytest.raises(ApiError) as caught:
        b"".join(wrong.speak.v1.audio.generate(text=TEXT))
    assert caught.value.status_code == 401
    with pytest.raises(Exception, match="401"):
        with wrong.speak.v1.connect():
            pass


def test_the_socket_of_text_and_audio(client):
    from deepgram.speak.v1.types import SpeakV1Text
    with client.speak.v1.connect(model="aura-asteria-en", encoding="linear16",
                                 sample_rate=16000) as socket:
        assert socket.recv().type == "Metadata"
        for word in TEXT.split():
            socket.send_text(SpeakV1Text(type="Speak", text=word + " "))
        socket.send_flush()
        audio = b""
        while isinstance(message := socket.recv(), bytes):
            audio += message
        assert message.type == "Flushed" and message.sequence_id == 0
        assert 1.5 < len(audio) / 32000 < 4
        socket.send_clear()
        assert socket.recv().type == "Cleared"
        socket.send_close()


def test_it_listens_by_events(client):
    from deepgram.core.events import EventType
    from deepgram.speak.v1.types import SpeakV1Text
    with client.speak.v1.connect(model="slt", encoding="mulaw", sample_rate=8000) as socket:
        audio, closed = [], threading.Event()

        def on_message(message):
            if isinstance(message, bytes):
                audio.append(message)
        socket.on(EventType.MESSAGE, on_message)
        socket.on(EventType.CLOSE, lambda _: closed.set())
        socket.send_text(SpeakV1Text(type="Speak", text=TEXT))
        socket.send_flush()
        socket.send_close()
        socket.start_listening()
        assert closed.wait(10) and 1.5 < len(b"".join(audio)) / 8000 < 4


def test_the_socket_of_turns(server):
    from deepgram.speak.v2.types import SpeakV2Speak

    async def run():
        client = deepgram.AsyncDeepgramClient(api_key="k", environment=environment(server))
        async with client.speak.v2.connect(model="flux-alexis-en", encoding="linear16",
                                           sample_rate=16000, speed=1.0) as socket:
            assert (await socket.recv()).type == "Connected"
            for turn in range(2):
                for word in TEXT.split():
                    await socket.send_speak(SpeakV2Speak(text=word + " "))
                await socket.send_flush()
                assert (await socket.recv()).type == "SpeechStarted"
                audio = b""
                while isinstance(message := await socket.recv(), bytes):
                    audio += message
                assert message.type == "SpeechMetadata"
                assert abs(message.audio_duration_ms - len(audio) / 32) <= 1
                assert (await socket.recv()).type == "Flushed"
            await socket.send_close()
            last = await socket.recv()
            assert last.type == "SessionMetadata" and last.total_audio_duration_ms > 3000

    asyncio.run(run())
