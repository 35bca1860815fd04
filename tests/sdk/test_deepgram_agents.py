"""The Deepgram classes of LiveKit and pipecat, unmodified, against our route and our sockets."""

import asyncio

import pytest

from support.agents import run_pipecat, speak_turn

livekit = pytest.importorskip("livekit.plugins.deepgram",
                              reason="livekit-plugins-deepgram is not installed")
pipecat = pytest.importorskip("pipecat.services.deepgram.tts", reason="pipecat-ai is not installed")

TEXT = "The quick brown fox jumps over the lazy dog. Then it sleeps for a while."


@pytest.mark.parametrize("kind, path", [("TTS", "/v1/speak"), ("TTSv2", "/v2/speak")])
def test_livekit_speaks_turn_after_turn(server, kind, path):
    import aiohttp

    async def run():
        async with aiohttp.ClientSession() as session:
            model = {"TTS": "aura-2-andromeda-en", "TTSv2": "flux-alexis-en"}[kind]
            tts = getattr(livekit, kind)(model=model, api_key="anything",
                                         base_url=server.url + path, http_session=session)
            seconds, _ = await speak_turn(tts, TEXT)
            assert 3 < seconds < 8
            seconds, _ = await speak_turn(tts, "The second turn.")
            assert 0.5 < seconds < 3
            if kind == "TTS":
                whole = [event.frame async for event in tts.synthesize("All at once, over HTTP.")]
                assert 0.8 < sum(frame.duration for frame in whole) < 4
            await tts.aclose()

    asyncio.run(run())


def test_livekit_reports_our_errors(server):
    import aiohttp
    from livekit.agents import APIConnectOptions, APIError

    async def run():
        async with aiohttp.ClientSession() as session:
            tts = livekit.TTS(model="aura-2-nobody-en", api_key="anything",
                              base_url=server.url + "/v1/speak", http_session=session)
            stream = tts.stream(conn_options=APIConnectOptions(max_retry=0, timeout=5))
            stream.push_text("Hello. ")
            stream.end_input()
            with pytest.raises(APIError):
                async for _ in stream:
                    pass
            await tts.aclose()

    asyncio.run(run())


def test_pipecat(server):
    tts = pipecat.DeepgramTTSService(
        api_key="anything", base_url=server.url.replace("http", "ws"), sample_rate=16000,
        settings=pipecat.DeepgramTTSService.Settings(voice="aura-2-helena-en"))
    audio, words = run_pipecat(tts, ["Hello from pipecat. ", "And another sentence."])
    assert 1.5 < len(audio) / 32000 < 5
    assert " ".join(words).split() == "Hello from pipecat. And another sentence.".split()


def test_pipecat_over_http(server):
    import aiohttp

    sessions = []

    async def make():
        sessions.append(aiohttp.ClientSession())
        return pipecat.DeepgramHttpTTSService(
            api_key="anything", base_url=server.url, sample_rate=16000,
            aiohttp_session=sessions[0])

    audio, _ = run_pipecat(make, ["Hello from pipecat. "])
    assert 0.8 < len(audio) / 32000 < 3
