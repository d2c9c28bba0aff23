"""Who of several is heard when: each user's beeps have a tone of their own, and are found in the sum."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import av
import imageio_ffmpeg
import numpy as np

from pipeline.demo.sound import BEEP_MS, TONES_HZ

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from pipeline.demo.made import MadeUser

RATE = 48_000


def samples(path: Path) -> npt.NDArray[np.float32]:
    """What the second decoder plays, of shape (channels, count) at 48 kHz."""
    with av.open(str(path)) as container:
        channels = container.streams.audio[0].codec_context.channels
    arguments = ["-v", "error", "-xerror", "-i", str(path), "-ar", str(RATE), "-f", "f32le", "-"]
    done = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *arguments], capture_output=True, check=True)
    assert not done.stderr
    return np.frombuffer(done.stdout, dtype="<f4").reshape(-1, channels).T


def envelope(sound: npt.NDArray[np.float32], hz: int) -> npt.NDArray[np.float64]:
    """The strength of one user's tone: those of others are whole cycles away within the window of 2 ms."""
    turned = sound * np.exp(-2j * np.pi * hz / RATE * np.arange(len(sound)))
    window = RATE // 500
    return np.abs(np.convolve(turned, np.full(window, 2 / window), mode="same"))


def onsets(sound: npt.NDArray[np.float32], user: MadeUser) -> list[tuple[float, float]]:
    """Seconds at which a user's beeps begin, and how strong they are."""
    strength = envelope(sound, TONES_HZ[user.user.number % len(TONES_HZ)])
    length = RATE * BEEP_MS // 1000
    loud = np.flatnonzero(strength > 0.15)
    found: list[tuple[float, float]] = []
    for at in loud.tolist():
        if not found or at / RATE - found[-1][0] > 0.5:
            plateau = float(np.median(strength[at + length // 4 : at + length * 3 // 4]))
            if plateau > 0.1:  # else another's beep that begins or ends
                rising = strength[at - 100 : at + 200] > plateau / 2
                found.append((float(at - 100 + np.argmax(rising)) / RATE, plateau))
    return found
