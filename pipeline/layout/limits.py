"""What a composite of our own may be asked for: ranges of size, pictures and sound, told all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.layout.canvas import LEAST_SIDE, MOST_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.layout.encoding import Encoding, SoundEncoding


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from one to another, both included; ``unit`` is for people."""

    least: int
    most: int
    unit: str = ""

    def __contains__(self, value: int) -> bool:
        return self.least <= value <= self.most

    def __str__(self) -> str:
        return f"{self.least} to {self.most}{self.unit and f' {self.unit}'}"


SIDE = Range(LEAST_SIDE, MOST_SIDE)
FPS = Range(1, 60)
BIT_RATE = Range(32_000, 100_000_000, "bits a second")
CRF = Range(0, 51)
GOP_MS = Range(100, 60_000, "ms")
RATES = (16_000, 32_000, 44_100, 48_000)
CHANNELS = (1, 2)
SOUND_BIT_RATE = Range(8_000, 320_000, "bits a second")
LOUDNESS = Range(-40, -8, "LUFS")
LENGTH_MS = Range(1_000, 604_800_000, "ms")
"""Of one of several files that follow one another."""


def check(
    size: tuple[int, int] | None = None,
    encoding: Encoding | None = None,
    sound: SoundEncoding | None = None,
    most_ms: int | None = None,
) -> None:
    """Whether a composite may be asked for so.

    Args:
        size: width and height of the canvas in pixels, before it is a `Canvas`.
        encoding: of the pictures.
        sound: of the sound.
        most_ms: how long a file may be.

    Raises:
        CommandError: every fault, each with the range and the value that was given.
    """
    faults = [*_of_size(size), *_of_pictures(encoding), *_of_sound(sound)]
    faults += _outside("max duration", most_ms, LENGTH_MS)
    if faults:
        raise CommandError(f"the composite cannot be encoded so: {'; '.join(faults)}.")


def either(words: tuple[object, ...]) -> str:
    """Alternatives as a person writes them.

    >>> either((1, 2)), either((16000, 32000, 48000))
    ('1 or 2', '16000, 32000 or 48000')
    """
    *most, last = (str(word) for word in words)
    return f"{', '.join(most)} or {last}" if most else last


def _of_size(size: tuple[int, int] | None) -> Iterator[str]:
    for name, side in zip(("width", "height"), size or (), strict=False):
        if side % 2 or side not in SIDE:
            yield f"{name}: an even number from {SIDE}, not {side}"


def _outside(name: str, value: int | None, allowed: Range) -> Iterator[str]:
    if value is not None and value not in allowed:
        yield f"{name}: {allowed}, not {value}"


def _of_pictures(encoding: Encoding | None) -> Iterator[str]:
    if encoding is None:
        return
    yield from _outside("fps", encoding.fps, FPS)
    yield from _outside("bit rate", encoding.bit_rate, BIT_RATE)
    yield from _outside("crf", encoding.crf, CRF)
    if encoding.bit_rate is not None and encoding.crf is not None:
        yield "crf: not with a bit rate, give one of them"
    yield from _outside("gop", encoding.gop_ms, GOP_MS)


def _of_sound(sound: SoundEncoding | None) -> Iterator[str]:
    if sound is None:
        return
    if sound.rate not in RATES:
        yield f"sample rate: {either(RATES)}, not {sound.rate}"
    if sound.channels not in CHANNELS:
        yield f"channels: {either(CHANNELS)}, not {sound.channels}"
    yield from _outside("sound bit rate", sound.bit_rate, SOUND_BIT_RATE)
    yield from _outside("loudness", sound.loudness, LOUDNESS)
