"""The Cartesia classes of LiveKit and pipecat, unmodified, against our routes and our socket."""

import asyncio

import pytest

from support.agents import run_pipecat, speak_turn

livekit = pytest.importorskip("livekit.plugins.cartesia",
                              reason="livekit-plugins-cartesia is not installed")
pipecat = pytest.importorskip("pipecat.services.cartesia.tts",
                              reason="pipecat-ai is not installed")

TEXT = "The quick brown fox jumps over the lazy dog. Then it sleeps for a while."


def test_livekit_speaks_turn_after_turn(server):
    import aiohttp

    async def run():
        async with aiohttp.ClientSession() as session:
            tts = livekit.TTS(voice="slt", api_key="anything", base_url=server.url,
                              http_session=session, model="sonic-3", speed=1.1, emotion="happy")
            seconds, words = await speak_turn(tts, TEXT)
            assert 3 < seconds < 8
            assert "".join(words).split() == TEXT.split()
            # One that is interrupted, and the one after it on the same connection.
            stream = tts.stream()
            stream.push_text("Nobody hears this to its end. " * 20)
            stream.flush()
            async for _ in stream:
                break
            await stream.aclose()
            seconds, _ = await speak_turn(tts, "The third turn.")
            assert 0.5 < seconds < 3
            whole = [event.frame async for event in tts.synthesize("All at once, over HTTP.")]
            assert 0.8 < sum(frame.duration for frame in whole) < 4
            await tts.aclose()

    asyncio.run(run())


def test_livekit_reports_our_errors(server):
    import aiohttp
    from livekit.agents import APIConnectOptions, APIError

    async def run():
        async with aiohttp.ClientSession() as session:
            tts = livekit.TTS(voice="nobody", api_key="anything", base_url=server.url,
                              http_session=session)
            stream = tts.stream(conn_options=APIConnectOptions(max_retry=0, timeout=5))
            stream.push_text("Hello. ")
            stream.end_input()
            with pytest.raises(APIError):
                async for _ in stream:
                    pass
            await tts.aclose()

    asyncio.run(run())


def test_pipecat_speaks_with_words(server):
    tts = pipecat.CartesiaTTSService(
        api_key="anything", url=server.url.replace("http", "ws") + "/tts/websocket",
        sample_rate=16000, settings=pipecat.CartesiaTTSService.Settings(voice="slt"))
    audio, words = run_pipecat(tts, ["Hello from pipecat. ", "And another sentence."])
    assert 1.5 < len(audio) / 32000 < 5
    assert words == "Hello from pipecat. And another sentence.".split()


def test_pipecat_over_http(server):
    tts = pipecat.CartesiaHttpTTSService(
        api_key="anything", base_url=server.url, sample_rate=16000,
        settings=pipecat.CartesiaHttpTTSService.Settings(voice="slt"))
    audio, _ = run_pipecat(tts, ["Hello from pipecat. "])
    assert 0.8 < len(audio) / 32000 < 3
