"""Turns of voice agents, driven as their frameworks do."""

import asyncio
import inspect


async def speak_turn(tts, text):
    """(seconds of audio, timed words) of one LiveKit turn."""
    stream = tts.stream()
    for word in text.split():
        stream.push_text(word + " ")
    stream.end_input()
    seconds, words = 0.0, []
    async for event in stream:
        seconds += event.frame.duration
        words += [str(word) for word in event.frame.userdata.get("lk.timed_transcripts", [])]
    await stream.aclose()
    return seconds, words


def run_pipecat(tts, texts, seconds=3):
    """(audio, words) of one turn; no error may come. `tts` may be a coroutine that makes it."""
    from pipecat.frames.frames import (ErrorFrame, LLMFullResponseEndFrame,
                                       LLMFullResponseStartFrame, TextFrame, TTSAudioRawFrame,
                                       TTSStoppedFrame, TTSTextFrame)
    from pipecat.tests.utils import SleepFrame, run_test

    async def run():
        service = await tts() if inspect.iscoroutinefunction(tts) else tts
        return await run_test(service, frames_to_send=[
            LLMFullResponseStartFrame(), *map(TextFrame, texts), LLMFullResponseEndFrame(),
            SleepFrame(sleep=seconds)])

    down, up = asyncio.run(run())
    errors = [frame for frame in [*down, *up] if isinstance(frame, ErrorFrame)]
    assert not errors, errors
    assert any(isinstance(frame, TTSStoppedFrame) for frame in down)
    words = [frame for frame in down if isinstance(frame, TTSTextFrame)]
    times = [word.pts for word in words if word.pts]
    assert times == sorted(times)
    audio = b"".join(frame.audio for frame in down if isinstance(frame, TTSAudioRawFrame))
    return audio, [word.text for word in words]
