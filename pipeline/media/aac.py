"""AAC as bytes: ADTS headers off, their configuration kept.

Only bytes live here: no codec library, no times. ADTS is ISO/IEC 13818-7 6.2, AudioSpecificConfig is
ISO/IEC 14496-3 1.6.2.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise
from struct import Struct, unpack_from
from typing import NamedTuple

SAMPLE_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Hz by sampling_frequency_index (ISO/IEC 14496-3 table 1.18); 13 to 15 mean nothing in ADTS."""

ADTS_HEADER = 7
"""Bytes of a header without CRC."""

FRAME_SAMPLES = 1024
"""PCM samples that one raw data block of AAC-LC decodes to."""

_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)  # by channel_configuration; 0 leaves it to an element in the stream


@dataclass(frozen=True, slots=True)
class AdtsConfig:
    """What an ADTS header says about the sound; ``ValueError`` for what ADTS cannot say."""

    object_type: int
    sampling_index: int
    channel_configuration: int

    def __post_init__(self) -> None:
        if not (1 <= self.object_type <= 4 and 0 <= self.sampling_index < len(SAMPLE_RATES)):  # noqa: PLR2004 - two bits, plus one
            raise ValueError(
                f"ADTS carries object types 1 to 4 and sampling indices 0 to 12, not {self.object_type} and "
                f"{self.sampling_index}"
            )
        if not 0 <= self.channel_configuration < len(_CHANNELS):
            raise ValueError(f"channel_configuration is 0 to 7, not {self.channel_configuration}")

    @classmethod
    def from_audio_specific_config(cls, data: bytes) -> AdtsConfig:
        """The reverse of `audio_specific_config`; ``ValueError`` for what ADTS cannot say."""
        word = int.from_bytes(data[:2], "big")
        return cls(word >> 11, word >> 7 & 15, word >> 3 & 15)

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return SAMPLE_RATES[self.sampling_index]

    @property
    def channels(self) -> int:
        """How many channels; 0 when a program_config_element in the stream says it."""
        return _CHANNELS[self.channel_configuration]

    @property
    def audio_specific_config(self) -> bytes:
        """The two bytes an MP4 carries instead of the headers (ISO/IEC 14496-3 1.6.2.1)."""
        return (self.object_type << 11 | self.sampling_index << 7 | self.channel_configuration << 3).to_bytes(
            2, "big"
        )

    def header(self, block_bytes: int) -> bytes:
        """The ADTS header of 7 bytes before a raw data block; ``ValueError`` for one that is too long."""
        length = ADTS_HEADER + block_bytes
        if length > _LENGTH_MASK:
            raise ValueError(f"an AAC frame of {block_bytes} bytes is too long for ADTS")
        fixed = 0xFFF1 << 40 | (self.object_type - 1) << 38 | self.sampling_index << 34
        fixed |= self.channel_configuration << 30 | length << 13 | 0x7FF << 2
        return fixed.to_bytes(ADTS_HEADER, "big")


class AdtsSplit(NamedTuple):
    """What was in a piece of ADTS stream; a named tuple because one is made for every PES packet.

    ``frames`` are raw data blocks without header and CRC. ``config`` is that of the first frame, ``changed``
    lists ``(index into frames, config)`` where it changes. ``rest`` is the incomplete frame at the end (at
    most 8190 bytes): it belongs before the next piece. ``skipped`` bytes belonged to no frame or to a damaged
    one. ``unsplit`` frames carried several blocks without saying where they begin; their bytes are in
    ``skipped``.
    """

    frames: list[bytes]
    config: AdtsConfig | None
    rest: bytes
    skipped: int
    changed: tuple[tuple[int, AdtsConfig], ...]
    unsplit: int


def _bits(first: int, width: int) -> int:
    """A mask for the bits of a 64-bit word, counted from its front as the specification does."""
    return ((1 << width) - 1) << (64 - first - width)


_WORD = Struct(">Q")  # the 7 bytes of a header and one of the block, which is never empty
_WORD_BYTES = 8
_LENGTH_SHIFT, _LENGTH_MASK = 64 - 43, 0x1FFF
_FIXED = sum(_bits(*field) for field in ((0, 12), (13, 2), (15, 1), (16, 2), (18, 4), (23, 3), (54, 2)))
_SYNC = re.compile(rb"\xff(?:[\xf0\xf1\xf8\xf9]|\Z)")


class _Kind(NamedTuple):
    """Everything that stays the same from header to header."""

    fixed: int
    head: int
    config: AdtsConfig
    blocks: int


@lru_cache(maxsize=64)
def _kind(fixed: int) -> _Kind | None:
    """Reads the fixed bits of a header; None if they are those of no header."""
    sampling_index = fixed >> 42 & 15
    if fixed & (_bits(0, 12) | _bits(13, 2)) != _bits(0, 12) or sampling_index >= len(SAMPLE_RATES):
        return None
    config = AdtsConfig((fixed >> 46 & 3) + 1, sampling_index, fixed >> 38 & 7)
    blocks = (fixed >> 8 & 3) + 1
    if fixed & _bits(15, 1):
        return _Kind(fixed, 7, config, blocks)
    return _Kind(fixed, 9 + 2 * (blocks - 1), config, blocks)


class _Look(Enum):
    """What stands at a place in the stream."""

    NOTHING = auto()
    OPEN = auto()  # a header, or the beginning of one, whose frame ends beyond what is here
    LONE = auto()  # a header, and after its frame something that is none
    FRAME = auto()  # a header, and after its frame another one or the end


def _look(data: bytes, at: int) -> tuple[_Look, _Kind | None, int]:
    """Says what stands at ``at``, of which kind, and where it ends."""
    size = len(data)
    if size - at < _WORD_BYTES:
        return (_Look.OPEN if _SYNC.match(data, at) else _Look.NOTHING), None, size
    (word,) = _WORD.unpack_from(data, at)
    kind = _kind(word & _FIXED)
    end = at + (word >> _LENGTH_SHIFT & _LENGTH_MASK)
    if kind is None or end <= at + kind.head:
        return _Look.NOTHING, None, at
    if end > size:
        return _Look.OPEN, kind, end
    if end == size or _SYNC.match(data, end):
        return _Look.FRAME, kind, end
    return (_Look.LONE if kind.blocks == 1 else _Look.NOTHING), kind, end


def _resync(data: bytes, after: int, stop: int) -> int:
    """Finds where frames begin again.

    From ``after`` to ``stop`` lies the last frame that was taken: a frame in there proves that it lost bytes
    and reached into the next. Failing whole frames, an open one at the end is good enough.
    """
    opened = len(data)
    for match in _SYNC.finditer(data, after):
        at = match.start()
        look, _, _ = _look(data, at)
        if look is _Look.FRAME:
            return at
        if look is _Look.OPEN and at >= stop:
            opened = min(opened, at)
    return opened


def _take(data: bytes, at: int, kind: _Kind, frames: list[bytes]) -> int:
    """Takes frames of one kind as long as they follow one another; returns where they stop."""
    fixed, head = kind.fixed, kind.head
    size, read, append, mask = len(data), _WORD.unpack_from, frames.append, _FIXED
    last = size - _WORD_BYTES
    while at <= last:
        (word,) = read(data, at)
        end = at + (word >> 21 & 0x1FFF)
        begin = at + head
        if word & mask != fixed or end > size or end <= begin:
            break
        append(data[begin:end])
        at = end
    return at


def _blocks(data: bytes, at: int, end: int, kind: _Kind) -> list[bytes]:
    """Cuts a frame of several blocks where its header says (ISO/IEC 13818-7 6.2.2); [] if that is wrong."""
    first = at + kind.head
    inner = unpack_from(f">{kind.blocks - 1}H", data, at + 7)
    starts = [first, *(first + position for position in inner), end]
    cut = [data[begin : stop - 2] for begin, stop in pairwise(starts)]
    return cut if all(cut) and starts == sorted(starts) else []


def split_adts(data: bytes) -> AdtsSplit:
    """Splits a piece of ADTS stream into raw data blocks, finding its way again after damage."""
    if len(data) >= _WORD_BYTES:  # most PES packets of most recorders are one frame
        (word,) = _WORD.unpack_from(data)
        kind = _kind(word & _FIXED)
        if kind is not None and kind.blocks == 1:
            if word >> _LENGTH_SHIFT & _LENGTH_MASK == len(data) > kind.head:
                return AdtsSplit([data[kind.head :]], kind.config, b"", 0, (), 0)
            frames: list[bytes] = []
            if _take(data, 0, kind, frames) == len(data):  # and of the others whole frames of one kind
                return AdtsSplit(frames, kind.config, b"", 0, (), 0)
    return _split(data)


def _split(data: bytes) -> AdtsSplit:
    frames: list[bytes] = []
    configs: list[tuple[int, AdtsConfig]] = []
    at = begun = skipped = unsplit = 0
    rest = b""
    while at < len(data):
        look, kind, end = _look(data, at)
        if look is _Look.OPEN:
            rest = data[at:]
            break
        if look is _Look.NOTHING or kind is None:
            found = _resync(data, begun + 1, at)
            if found < at:
                frames.pop()
                at = begun
                if configs[-1][0] == len(frames):
                    configs.pop()
            skipped += found - at
            at = begun = found
            continue
        if not configs or configs[-1][1] != kind.config:
            configs.append((len(frames), kind.config))
        if kind.blocks == 1:
            at = _take(data, at, kind, frames)
            begun = at - kind.head - len(frames[-1])
            continue
        blocks = [] if kind.head == 7 else _blocks(data, at, end, kind)  # noqa: PLR2004 - a header without CRC
        frames += blocks
        if not blocks:
            unsplit += 1
            skipped += end - at
        at = begun = end
    return AdtsSplit(frames, configs[0][1] if configs else None, rest, skipped, tuple(configs[1:]), unsplit)
