"""Samples encoded into frames of a coding, with the encoder's delay known to the sample."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from numpy.typing import NDArray

    from pipeline.media.sound.coding import Coding

_LAYOUTS = {1: "mono", 2: "stereo"}


class Encoder:
    """One stretch of sound that is encoded.

    Args:
        name: FFmpeg's name of the encoder.
        coding: what it makes.
        bit_rate: bits a second and channel.
        delay: samples that a decoder puts out before the first that goes in.
        options: of the encoder.
        finish: what is done to each frame that it makes.
    """

    def __init__(
        self,
        name: str,
        coding: Coding,
        *,
        bit_rate: int,
        delay: int,
        options: dict[str, str] | None = None,
        finish: Callable[[bytes], bytes] = bytes,
    ) -> None:
        context = cast("AudioCodecContext", av.CodecContext.create(name, "w"))
        formats = {each.name for each in context.codec.audio_formats or ()}
        self._planar = "fltp" in formats
        self._format = "fltp" if self._planar else "flt"
        self._layout = _LAYOUTS[coding.channels]
        context.sample_rate, context.layout, context.format = coding.rate, self._layout, self._format
        context.bit_rate, context.time_base = bit_rate * coding.channels, Fraction(1, coding.rate)
        context.options = options or {}
        context.open()
        self._context = context
        self._waiting = np.zeros((coding.channels, 0), dtype=np.float32)
        self._at = 0
        self._rate, self._frame = coding.rate, coding.frame
        self._finish = finish
        self.delay = delay

    @property
    def header(self) -> bytes:
        """What the encoder says of itself."""
        return self._context.extradata or b""

    def take(self, samples: NDArray[np.float32]) -> list[bytes]:
        """The frames that are ready with these samples, of shape (channels, samples)."""
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        out: list[bytes] = []
        while self._waiting.shape[1] >= self._frame:
            out += self._encode(self._waiting[:, : self._frame])
            self._waiting = self._waiting[:, self._frame :]
        return out

    def end(self) -> list[bytes]:
        """The last frames, the last one filled up with silence."""
        out: list[bytes] = []
        if rest := self._waiting.shape[1]:
            out = self.take(np.zeros((len(self._waiting), self._frame - rest), dtype=np.float32))
        return out + self._finished(None)

    def _encode(self, samples: NDArray[np.float32]) -> list[bytes]:
        shaped = samples if self._planar else samples.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(shaped), format=self._format, layout=self._layout
        )
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        self._at += self._frame
        return self._finished(frame)

    def _finished(self, frame: AudioFrame | None) -> list[bytes]:
        return [self._finish(bytes(packet)) for packet in self._context.encode(frame)]
