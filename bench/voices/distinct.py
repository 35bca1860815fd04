#!/usr/bin/env python3
"""Shows that OpenAI's thirteen voice names are thirteen distinct voices.

Any two must differ by at least two semitones in median F0, or by a Bhattacharyya distance of at
least 0.3 between the diagonal Gaussians of their 12 MFCC, over the same fixed text of 30 seconds.
F0 by normalised autocorrelation (40 ms windows, 10 ms steps, voiced above 0.5); MFCC 1 to 12 of
25 ms Hamming windows, 26 mel bands, on frames within 30 dB of the loudest.

usage: distinct.py VOICE_SAMPLES_PROGRAM [VOICE...]     exits 1 when a pair is too alike
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile
import wave

import numpy as np

VOICES = ("alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar").split()
MIN_SEMITONES = 2.0
MIN_DISTANCE = 0.3


def read_wav(path):
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return samples.astype(float) / 32768, file.getframerate()


def frames_of(samples, size, step):
    count = 1 + (len(samples) - size) // step
    return samples[np.arange(size)[None, :] + step * np.arange(count)[:, None]]


def median_f0(samples, rate):
    frames = frames_of(samples, int(0.04 * rate), int(0.01 * rate))
    frames = frames - frames.mean(axis=1, keepdims=True)
    energy = (frames**2).sum(axis=1)
    frames = frames[energy > energy.max() * 1e-3]
    size = frames.shape[1]
    spectrum = np.fft.rfft(frames, 2 * size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, :size]
    # The overlap shrinks with the lag; without this, long periods would look weaker.
    correlation = correlation / (correlation[:, :1] * (1 - np.arange(size) / size))
    low, high = int(rate / 400), int(rate / 55)
    lags = correlation[:, low:high]
    best = lags.max(axis=1)
    # The first lag that is nearly as good as the best one: no octave too low.
    first = np.argmax(lags >= 0.95 * best[:, None], axis=1)
    return float(np.median(rate / (low + first[best > 0.5])))


def mfcc(samples, rate):
    size, bands = int(0.025 * rate), 26
    samples = np.append(samples[0], samples[1:] - 0.97 * samples[:-1])
    frames = frames_of(samples, size, int(0.01 * rate)) * np.hamming(size)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    energy = power.sum(axis=1)
    power = power[energy > energy.max() * 1e-3]
    mel = lambda hz: 2595 * np.log10(1 + hz / 700)
    edges = 700 * (10 ** (np.linspace(mel(0), mel(rate / 2), bands + 2) / 2595) - 1)
    bins = np.arange(power.shape[1]) * rate / 512
    rise = (bins[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    weights = np.maximum(0, np.minimum(rise, fall))
    levels = np.log(power @ weights.T + 1e-10)
    k = np.arange(1, 13)[:, None]
    cosines = np.cos(np.pi * k * (np.arange(bands)[None, :] + 0.5) / bands)
    return levels @ cosines.T


def distance(a, b):
    mean = (a.mean(axis=0) - b.mean(axis=0)) ** 2
    va, vb = a.var(axis=0), b.var(axis=0)
    both = (va + vb) / 2
    return float((mean / both).sum() / 8 + 0.5 * np.log(both / np.sqrt(va * vb)).sum())


def main():
    program, voices = sys.argv[1], sys.argv[2:] or VOICES
    text = pathlib.Path(__file__).with_name("text.txt")
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, str(text), folder, *voices], check=True)
        for voice in voices:
            samples, rate = read_wav(pathlib.Path(folder) / f"{voice}.wav")
            figures[voice] = median_f0(samples, rate), mfcc(samples, rate)
            print(f"{voice:10} {len(samples) / rate:5.1f} s   median F0 {figures[voice][0]:6.1f} Hz")
    rows = []
    for a, b in itertools.combinations(voices, 2):
        semitones = abs(12 * np.log2(figures[a][0] / figures[b][0]))
        apart = distance(figures[a][1], figures[b][1])
        rows.append((max(semitones / MIN_SEMITONES, apart / MIN_DISTANCE), a, b, semitones, apart))
    rows.sort()
    print(f"\n{'the closest pairs':24} {'semitones':>9} {'distance':>9}")
    for score, a, b, semitones, apart in rows[:8]:
        print(f"{a + ' / ' + b:24} {semitones:9.2f} {apart:9.2f}  {'ok' if score >= 1 else 'TOO ALIKE'}")
    alike = [row for row in rows if row[0] < 1]
    print(f"\n{len(rows)} pairs, {len(alike)} too alike")
    return 1 if alike else 0


if __name__ == "__main__":
    sys.exit(main())
