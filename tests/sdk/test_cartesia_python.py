"""cartesia (Python), unmodified, against the real server."""

import asyncio

import pytest

from support.audio import align, decode

cartesia = pytest.importorskip("cartesia", reason="cartesia is not installed")

TEXT = "The official client speaks to this server."
WORDS = ["the", "official", "client", "speaks", "to", "this", "server"]
VOICE = {"mode": "id", "id": "slt"}
RAW = {"container": "raw", "encoding": "pcm_f32le", "sample_rate": 44100}


@pytest.fixture
def client(server):
    with cartesia.Cartesia(api_key="anything", base_url=server.url, max_retries=0,
                           websocket_base_url=server.url.replace("http", "ws")) as client:
        yield client


@pytest.mark.parametrize("form, name, rate", [
    ({"container": "wav", "encoding": "pcm_s16le", "sample_rate": 24000}, "wav", 0),
    ({"container": "wav", "encoding": "pcm_mulaw", "sample_rate": 8000}, "wav", 0),
    ({"container": "mp3", "sample_rate": 44100, "bit_rate": 128000}, "mp3", 0), (RAW, "f32", 44100)])
def test_generate(client, form, name, rate):
    response = client.tts.generate(model_id="sonic-3.5", transcript=TEXT, voice=VOICE,
                                   output_format=form, language="en", normalization="auto",
                                   generation_config={"speed": 1.1, "volume": 1.2})
    sound = decode(response.read(), name, rate)
    heard = [word for word, *_ in align(sound, WORDS) if not word.startswith("<")]
    assert heard == WORDS


def test_events(client):
    audio, words, phonemes, last = b"", [], [], None
    for event in client.tts.generate_sse(
            model_id="sonic-3", transcript=TEXT, voice="slt", output_format=RAW,
            add_timestamps=True, add_phoneme_timestamps=True, context_id="mine"):
        last = event
        assert event.context_id == "mine"
        if event.type == "chunk":
            audio += event.audio
        elif event.type == "timestamps":
            words += event.word_timestamps.words
        elif event.type == "phoneme_timestamps":
            phonemes += event.phoneme_timestamps.phonemes
    assert last.type == "done" and last.done is True
    assert words == TEXT.split() and len(phonemes) > 20
    assert 1.5 < len(audio) / 4 / 44100 < 4


def test_contexts_on_one_socket(client):
    with client.tts.websocket_connect() as connection:
        contexts = [connection.context(model_id="sonic-3", voice=VOICE, output_format=RAW,
                                       add_timestamps=True) for _ in range(2)]
        for word in TEXT.split():
            for context in contexts:
                context.push(word + " ")
        contexts[0].push("", flush=True)
        for context in contexts:
            context.no_more_inputs()
        for context in contexts:
            events = list(context.receive())
            assert events[-1].type == "done"
            words = [w for e in events if e.type == "timestamps" for w in e.word_timestamps.words]
            audio = b"".join(e.audio for e in events if e.type == "chunk")
            assert words == TEXT.split() and 1.5 < len(audio) / 4 / 44100 < 4


def test_asynchronous_and_cancel(server):
    async def run():
        async with cartesia.AsyncCartesia(api_key="k", base_url=server.url,
                                          websocket_base_url=server.url.replace("http", "ws")
                                          ) as client:
            async with client.tts.websocket_connect() as connection:
                context = connection.context(model_id="sonic-3", voice=VOICE, output_format=RAW)
                await context.push(TEXT)
                await context.no_more_inputs()
                kinds = [event.type async for event in context.receive()]
                assert kinds[-1] == "done" and "chunk" in kinds
                await connection.send({"context_id": "other", "cancel": True})
            async with client.tts.with_streaming_response.generate(
                    model_id="sonic-3", transcript=TEXT, voice="slt", output_format=RAW) as response:
                assert len(await response.read()) > 44100

    asyncio.run(run())


def test_errors_are_typed(client, server):
    for change, kind in (({"transcript": ""}, cartesia.BadRequestError),
                         ({"voice": {"mode": "id", "id": "nobody"}}, cartesia.NotFoundError)):
        with pytest.raises(kind) as caught:
            client.tts.generate(**{"model_id": "sonic-3", "transcript": TEXT, "voice": VOICE,
                                   "output_format": RAW, **change})
        assert caught.value.body["error_code"] and caught.value.body["request_id"]
    with pytest.raises(cartesia.AuthenticationError):
        cartesia.Cartesia(api_key="vf_live_wrong", base_url=server.url, max_retries=0).voices.list()
    with pytest.raises(cartesia.PermissionDeniedError):
        client.voices.clone(clip=("me.wav", b"RIFF"), name="Me", language="en")
    with client.tts.websocket_connect() as connection:
        context = connection.context(model_id="sonic-3", voice="nobody", output_format=RAW)
        context.push(TEXT)
        error = next(iter(context.receive()))
        assert error.type == "error" and error.error_code == "voice_not_found"
        assert error.status_code == 404


def test_voices(client):
    ids = []
    for voice in client.voices.list(limit=40):
        ids.append(voice.id)
    assert "slt" in ids and len(set(ids)) == len(ids) > 40
    voice = client.voices.get("slt", expand=["preview_file_url"])
    assert voice.language == "en" and voice.locales[0].is_native and voice.preview_file_url
    assert "slt" in [v.id for v in client.voices.list(q="slt", gender="feminine")]
