"""How many samples the packets of a finished sound track decode to, told by the bytes in the file.

For verification alone: nothing here is shared with what places and writes sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.mp4.reader import Track

AAC = 1024
"""Samples of an access unit (ISO/IEC 14496-3 4.5.1.1)."""

_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_LENGTHS = np.array(_SILK * 3 + _HYBRID * 2 + _CELT * 4, dtype=np.int64)
"""Samples of a frame of Opus by configuration (RFC 6716, table 2)."""


def opus_samples(packet: bytes) -> int:
    """Samples that a packet of Opus decodes to, by its first bytes (RFC 6716 3.1, 3.2.5)."""
    many = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 0)[packet[0] & 3] if packet else 0
    return int(_LENGTHS[packet[0] >> 3]) * many if packet else 0


class Counted:
    """The samples before each packet of a track; the file is shown to it from front to end.

    Args:
        track: of sound.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        opus = track.sample_entry[4:8] == b"Opus"
        places = np.concatenate((track.offsets, track.offsets + 1)) if opus else track.offsets[:0]
        self._order = np.argsort(places, kind="stable")
        self._places = places[self._order]
        self._bytes = np.zeros(len(places), dtype=np.int64)
        self._now = 0

    @property
    def by_bytes(self) -> bool:
        """The file's media must be shown to it."""
        return bool(len(self._places))

    def see(self, at: int, block: bytes) -> None:
        """The bytes of the file from ``at`` on."""
        until = int(np.searchsorted(self._places, at + len(block)))
        found = self._places[self._now : until] - at
        self._bytes[self._order[self._now : until]] = np.frombuffer(block, dtype=np.uint8)[found]
        self._now = until

    def before(self) -> NDArray[np.int64]:
        """Samples decoded before each packet, once the whole file was seen."""
        count = len(self._track.sizes)
        if not len(self._places):
            return np.arange(count, dtype=np.int64) * AAC
        first, second = self._bytes[:count], self._bytes[count:]
        many = np.array([1, 2, 2, 0], dtype=np.int64)[first & 3]
        many += np.where((many == 0) & (self._track.sizes > 1), second & 0x3F, 0)  # RFC 6716 3.2.5
        lengths = _LENGTHS[first >> 3] * many
        return np.asarray(np.cumsum(lengths) - lengths, dtype=np.int64)
