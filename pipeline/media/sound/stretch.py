"""A stretch of sound that is encoded anew, on the grid of the file's frames.

Its frames follow on those before by count, so that time and count agree from here on; what it holds is moved
inside them to its own place, to the sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.placing import SoundTime
    from pipeline.media.sound.coding import Coding


class Stretch:
    """Frames from the first that fits before what is to be heard; places are media times, in samples.

    An encoder puts some samples before what it is given (its delay), and the frames of those go into the
    silence before, or before file zero, where an edit skips them. Where there is no room they are left out.

    Args:
        time: of the file; silence is noted there up to where the stretch begins.
        coding: of the file.
        at: where the first sample that is given belongs.

    Attributes:
        silent: silent frames before it.
        first: index of its first frame.
        start: where that begins.
        packets: how many of the recorder's went into it; for whoever counts them.
    """

    def __init__(self, time: SoundTime, coding: Coding, at: int) -> None:
        self._encoder = coding.encoder()
        self._frame = coding.frame
        early = at - self._encoder.delay
        frames = 0
        if time.frames or early > 0:
            frames = (early - time.counted) // coding.frame
            early = time.counted + max(0, frames) * coding.frame
            early = early if time.earliest is None else max(early, time.earliest)
        self.silent = time.silence_before(early)
        self.first, self.start = time.frames, early
        self.packets = 0
        self._skipped = max(0, -frames)
        self._origin = early - self._skipped * coding.frame
        self._out = 0  # frames, those that are left out included
        self.end = self._origin + self._encoder.delay
        self._ahead = 0  # samples to leave out
        self._channels = coding.channels
        self._ready = self.go_on(at)

    def go_on(self, at: int) -> list[bytes]:
        """Frames that are ready once there is silence up to ``at``; of what follows none is heard before."""
        gap = at - self.end
        if gap < 0:
            self._ahead = -gap
            return []
        return self._feed(np.zeros((self._channels, gap), dtype=np.float32))

    def take(self, samples: NDArray[np.float32]) -> list[bytes]:
        """Frames that are ready with these samples, of shape (channels, samples)."""
        left_out = min(self._ahead, samples.shape[1])
        self._ahead -= left_out
        ready, self._ready = self._ready, []
        return ready + self._feed(samples[:, left_out:])

    def close(self, *, room: bool) -> list[bytes]:
        """The last frames; of a frame that is less than half full only where there is ``room`` after it."""
        whole, rest = divmod(self.end - self._origin, self._frame)
        count = whole + (rest > (0 if room else self._frame // 2))
        last = self._new(self._encoder.end())
        surplus = self._out - count
        return self._ready + (last[: max(0, len(last) - surplus)] if surplus > 0 else last)

    def _feed(self, samples: NDArray[np.float32]) -> list[bytes]:
        self.end += samples.shape[1]
        return self._new(self._encoder.take(samples))

    def _new(self, frames: list[bytes]) -> list[bytes]:
        """Without those at the beginning for which there is no room."""
        before = max(0, self._skipped - self._out)
        self._out += len(frames)
        return frames[before:]
