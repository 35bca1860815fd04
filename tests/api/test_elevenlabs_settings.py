"""Each of ElevenLabs' voice settings moves the one quantity that docs/voices.md names, steadily."""

import numpy as np
import pytest

from support.audio import decode

TEXT = ("Nobody had expected that the old harbour would ever be opened again. And yet, early one "
        "morning, seven ships were lying there, waiting for the tide!")
RATE = 24000


def frames(samples, length, step):
    count = 1 + (len(samples) - length) // step
    return np.lib.stride_tricks.as_strided(
        samples, (count, length), (samples.strides[0] * step, samples.strides[0]))


def pitch_spread(samples):
    """Standard deviation of F0 in semitones, by autocorrelation over 40 ms every 10 ms."""
    low, high = RATE // 350, RATE // 80
    found = []
    for frame in frames(samples, RATE * 40 // 1000, RATE // 100):
        frame = frame - frame.mean()
        energy = (frame ** 2).sum()
        if energy < 1e-3 * len(frame):
            continue
        spectrum = np.fft.rfft(frame, 2 * len(frame))
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[low:high]
        correlation *= len(frame) / (len(frame) - np.arange(low, high)) / energy
        if correlation.max() > 0.7:
            # The first peak that is nearly the highest: not an octave below.
            at = low + int(np.argmax(correlation > 0.9 * correlation.max()))
            while at + 1 < high and correlation[at + 1 - low] > correlation[at - low]:
                at += 1
            found.append(12 * np.log2(RATE / at))
    found = np.array(found)
    return found[np.abs(found - np.median(found)) < 12].std()


def spectrum_of(samples):
    return np.arange(len(samples) // 2 + 1) * RATE / len(samples), np.abs(np.fft.rfft(samples)) ** 2


def brightness(samples):
    hertz, power = spectrum_of(samples)
    return (hertz * power).sum() / power.sum()


def presence(samples):
    hertz, power = spectrum_of(samples)
    return power[(hertz > 2000) & (hertz < 4000)].sum() / power.sum()


def levels(samples):
    """Of what is about a syllable long, in dB."""
    return 10 * np.log10((frames(samples, RATE // 8, RATE // 16) ** 2).mean(axis=1) + 1e-9)


def dynamics(samples, neutral):
    """Spread of the levels where the neutral rendering speaks."""
    speaks = levels(neutral) > levels(neutral).max() - 25
    return levels(samples)[speaks].std()


@pytest.mark.parametrize("setting, values, measure, least", [
    ("stability", (1, 0.75, 0.5, 0.25, 0), pitch_spread, 1.8),
    ("similarity_boost", (0, 0.25, 0.5, 0.75, 1), brightness, 1.15),
    ("style", (0, 0.25, 0.5, 0.75, 1), dynamics, 1.5),
    ("use_speaker_boost", (False, True), presence, 1.1),
    ("speed", (1.2, 1.1, 1.0, 0.9, 0.8, 0.7), len, 1.6)])
def test_a_setting_moves_its_quantity_one_way(http, setting, values, measure, least):
    figures, neutral = [], None
    for value in values:
        response = http.post("/v1/text-to-speech/slt", params={"output_format": "pcm_24000"},
                             json={"text": TEXT, "seed": 7, "voice_settings": {setting: value}})
        assert response.status_code == 200, response.text
        samples = decode(response.content, "pcm", RATE, RATE).samples
        neutral = samples if neutral is None else neutral
        figures.append(float(measure(samples, neutral) if measure is dynamics
                             else measure(samples)))
    assert figures == sorted(figures) and len(set(figures)) == len(figures), figures
    assert figures[-1] > least * figures[0], figures
