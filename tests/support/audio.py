"""Listening by measuring: an independent decoder, durations, levels, words."""

import dataclasses
import functools
import subprocess
import tempfile

import numpy as np

# For ffmpeg, where the file itself does not say what it is.
RAW = {"f32": ["-f", "f32le", "-ar", "{rate}", "-ac", "1"],
       "pcm": ["-f", "s16le", "-ar", "{rate}", "-ac", "1"],
       "ulaw": ["-f", "mulaw", "-ar", "{rate}", "-ac", "1"],
       "alaw": ["-f", "alaw", "-ar", "{rate}", "-ac", "1"]}


@dataclasses.dataclass
class Sound:
    samples: np.ndarray  # float32 in [-1, 1]
    rate: int

    @property
    def seconds(self):
        return len(self.samples) / self.rate

    def loud(self, window=0.01, below_peak_db=40):
        """One flag a window: is there sound?"""
        size = int(self.rate * window)
        count = len(self.samples) // size
        frames = self.samples[:count * size].reshape(count, size)
        level = np.sqrt((frames ** 2).mean(axis=1) + 1e-12)
        return level > level.max() * 10 ** (-below_peak_db / 20)

    def pauses(self, at_least=0.15, window=0.01):
        """Lengths in seconds of the silences between sounds."""
        flags = self.loud(window)
        found, quiet, heard = [], 0, False
        for flag in flags:
            if flag:
                if heard and quiet * window >= at_least:
                    found.append(quiet * window)
                heard, quiet = True, 0
            else:
                quiet += 1
        return found


def decode(data, name, rate=24000, out_rate=16000):
    """The bytes of a reply, decoded by ffmpeg to `out_rate`."""
    with tempfile.NamedTemporaryFile(suffix="." + name) as file:
        file.write(data)
        file.flush()
        # A streamed WAV does not know its size; ffmpeg calls its last packet corrupt then.
        strict = [] if data[4:8] == b"\xff\xff\xff\xff" else ["-xerror"]
        options = [part.format(rate=rate) for part in RAW.get(name, [])]
        done = subprocess.run(
            ["ffmpeg", "-v", "error", *strict, *options, "-i", file.name,
             "-f", "f32le", "-ac", "1", "-ar", str(out_rate), "-"],
            capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-500:]
    return Sound(np.frombuffer(done.stdout, dtype=np.float32), out_rate)


@functools.lru_cache
def _decoder():
    from pocketsphinx import Decoder
    return Decoder(samprate=16000, lm=None, loglevel="FATAL")


def align(sound, words):
    """(word, start, end) in seconds for each word, or None when the audio does not hold them."""
    assert sound.rate == 16000
    decoder = _decoder()
    decoder.set_align_text(" ".join(words))
    decoder.start_utt()
    pcm = (np.clip(sound.samples, -1, 1) * 32767).astype(np.int16)
    decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return None
    return [(seg.word.split("(")[0], seg.start_frame / 100, (seg.end_frame + 1) / 100)
            for seg in decoder.seg() if seg.word.split("(")[0] in words]
