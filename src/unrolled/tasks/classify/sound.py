"""Sounds: wav files to log-mel frames, 25 ms long and 10 ms apart."""

import io
import math
import struct
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.reading import read_bytes
from unrolled.errors import UsageError

SLOWEST, FASTEST, USUAL = 8_000, 48_000, 16_000
"""Samples a second: the least and the most that are read, and the most that a model reads at unless told."""
FRAME, HOP = 0.025, 0.010
"""Seconds."""
FLOOR = 1e-10
"""The least energy of a band: digital silence has a logarithm too."""


def read_wav(path: str | Path) -> tuple[NDArray[np.float32], int]:
    """The samples of a wav file, from -1 to 1, its channels' mean, (S,); and how many there are in a second.

    Raises:
        UsageError: the file is missing, damaged, empty, or of a rate outside of 8 to 48 kHz.
    """
    from scipy.io import wavfile

    raw = read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
            rate, samples = wavfile.read(io.BytesIO(raw))
    except (ValueError, EOFError, OSError, struct.error) as error:
        raise UsageError(f"{path} is no sound wav file: {error}.") from None
    if not SLOWEST <= rate <= FASTEST:
        raise UsageError(f"{path} has {rate} samples a second; from {SLOWEST} to {FASTEST} are read.")
    if not len(samples):
        raise UsageError(f"{path} holds no sound: it has no samples.")
    zero, scale = (128, 128) if samples.dtype == np.uint8 else (0, 1)
    if samples.dtype.kind == "i":
        scale = np.iinfo(samples.dtype).max
    wave: NDArray[np.float32] = (samples.astype(np.float32) - zero) / np.float32(scale)
    if not np.isfinite(wave).all():
        raise UsageError(f"{path} holds a sample that is no finite number.")
    return (wave if wave.ndim == 1 else wave.mean(1, dtype=np.float32)), int(rate)


def at_rate(wave: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    """The same sound with another number of samples a second (polyphase filter)."""
    from scipy.signal import resample_poly

    if rate == wanted:
        return wave
    common = math.gcd(rate, wanted)
    return np.asarray(resample_poly(wave, wanted // common, rate // common), dtype=np.float32)


def log_mel(wave: NDArray[np.float32], rate: int, mels: int) -> Tensor:
    """The logarithm of the energy in bands of the mel scale, (T, mels), float32.

    Frames of 25 ms, 10 ms apart, Hann window, power spectrum; triangles between points that lie evenly on the mel scale
    2595 log10(1 + f / 700) (O'Shaughnessy 1987) from 0 Hz to half the rate. A sound shorter than a frame is one frame.
    """
    from scipy.fft import next_fast_len, rfft

    size, hop = round(FRAME * rate), round(HOP * rate)
    if len(wave) < size:
        wave = np.pad(wave, (0, size - len(wave)))
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::hop]  # (T, size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    length = next_fast_len(size, real=True)
    power = np.abs(np.asarray(rfft(frames * window, length, axis=-1))) ** 2  # (T, bins)
    energy = power @ mel_filters(rate, length, mels).T  # (T, mels)
    return torch.from_numpy(np.log(np.maximum(energy, FLOOR)).astype(np.float32))


@cache
def mel_filters(rate: int, length: int, mels: int) -> NDArray[np.float64]:
    """How much of each bin of a spectrum belongs to each band, (mels, length // 2 + 1)."""
    highest = 2595 * math.log10(1 + rate / 2 / 700)
    points = 700 * (10 ** (np.linspace(0, highest, mels + 2) / 2595) - 1)  # hertz
    bins = np.arange(length // 2 + 1) * rate / length
    low, middle, high = points[:-2, None], points[1:-1, None], points[2:, None]
    return np.maximum(0, np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)))
