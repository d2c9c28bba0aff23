"""What Opus packets and their header say: length by the first byte, OpusHead; no codec is opened."""

from __future__ import annotations

from dataclasses import dataclass

RATE = 48_000
"""Samples a second in which Opus counts, whatever was recorded (RFC 6716 2)."""
MOST_SAMPLES = 5760
"""A packet holds at most 120 ms (RFC 6716 3.2.5)."""
SILENT = 960
"""Samples of the packets that fill gaps: 20 ms."""
PRE_ROLL = 3840
"""Samples that a decoder takes to be right after a seek: 80 ms (RFC 7845 4.6)."""

_MAGIC = b"OpusHead"
_HEAD = 19
_MOST_STREAMS = 255
_SILK, _HYBRID = 12, 16  # configurations below: SILK; below: hybrid; from there on: CELT
_COUNT_IN_SECOND_BYTE = 3


def samples_of(packet: bytes) -> int | None:
    """Samples at 48 kHz in an Opus packet by its TOC byte (RFC 6716 3.1, 3.2); None if it is no packet.

    >>> samples_of(bytes.fromhex("f8fffe"))
    960
    """
    if not packet:
        return None
    toc = packet[0]
    config = toc >> 3
    if config < _SILK:
        each = (480, 960, 1920, 2880)[config & 3]
    elif config < _HYBRID:
        each = (480, 960)[config & 1]
    else:
        each = 120 << (config & 3)
    frames = (1, 2, 2, 0)[toc & 3]
    if toc & 3 == _COUNT_IN_SECOND_BYTE:
        frames = packet[1] & 0x3F if len(packet) > 1 else 0
    return each * frames if 0 < each * frames <= MOST_SAMPLES else None


@dataclass(frozen=True, slots=True)
class OpusHead:
    """The identification header (RFC 7845 5.1), which is the CodecPrivate of a WebM track.

    Attributes:
        channels: 1 to 255.
        pre_skip: samples at 48 kHz to drop from the decoder's output when a stream begins.
        rate: samples a second before encoding, 0 if unknown; for people only.
        gain: Q7.8 dB that a player adds.
        family: channel mapping family; 0 is mono or stereo in one stream.
        mapping: for other families: streams, coupled streams, and one byte a channel.

    Raises:
        ValueError: for values that the header cannot hold.
    """

    channels: int
    pre_skip: int
    rate: int = RATE
    gain: int = 0
    family: int = 0
    mapping: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= self.channels <= (255 if self.family else 2):
            raise ValueError(f"Opus of mapping family {self.family} has no {self.channels} channels")
        if not (
            0 <= self.pre_skip < 1 << 16 and 0 <= self.rate < 1 << 32 and -(1 << 15) <= self.gain < 1 << 15
        ):
            raise ValueError("pre-skip, rate or gain of Opus are out of range")
        if not 0 <= self.family < 1 << 8 or len(self.mapping) != (2 + self.channels if self.family else 0):
            raise ValueError(f"{len(self.mapping)} bytes are no channel mapping of family {self.family}")
        if self.family and not self._streams_fit():
            raise ValueError("the streams of Opus and its channels do not fit")

    def _streams_fit(self) -> bool:
        streams, coupled = self.mapping[0], self.mapping[1]
        decoded = streams + coupled
        indices = self.mapping[2:]
        return (
            streams >= 1
            and coupled <= streams
            and decoded <= _MOST_STREAMS
            and all(index < decoded or index == _MOST_STREAMS for index in indices)
        )

    @classmethod
    def read(cls, data: bytes) -> OpusHead:
        """The header in these bytes. Raises ``ValueError`` for anything else; what follows it is ignored."""
        if data[:8] != _MAGIC or len(data) < _HEAD or data[8] >> 4:
            raise ValueError("its Opus header is none")
        family, channels = data[18], data[9]
        mapping = data[_HEAD : _HEAD + 2 + channels] if family else b""
        return cls(
            channels=channels,
            pre_skip=int.from_bytes(data[10:12], "little"),
            rate=int.from_bytes(data[12:16], "little"),
            gain=int.from_bytes(data[16:18], "little", signed=True),
            family=family,
            mapping=mapping,
        )

    def write(self) -> bytes:
        """The bytes of the header, version 1."""
        return b"".join(
            (
                _MAGIC,
                bytes((1, self.channels)),
                self.pre_skip.to_bytes(2, "little"),
                self.rate.to_bytes(4, "little"),
                self.gain.to_bytes(2, "little", signed=True),
                bytes((self.family,)),
                self.mapping,
            )
        )


def silent_packet(channels: int, samples: int = 960) -> bytes:
    """An Opus packet of digital silence of 120, 240, 480 or 960 samples at 48 kHz; ``ValueError`` for others.

    Made by hand from RFC 6716: a TOC byte of one full-band CELT frame (3.1, configurations 28 to 31, code 0),
    then 0xFFFE for the range decoder, whose first symbol is the silence flag of CELT with a probability of
    1/32768 (4.3, table 56): the two bytes are the top of its range, so that it reads as set, and nothing else
    is coded.
    """
    if channels not in {1, 2} or samples not in {120, 240, 480, 960}:
        raise ValueError(f"no silent Opus packet has {channels} channels and {samples} samples")
    config = 28 + (120, 240, 480, 960).index(samples)
    return bytes((config << 3 | (channels - 1) << 2, 0xFF, 0xFE))


def silent_run(before: bytes, channels: int, count: int) -> list[bytes]:
    """``count`` packets of 20 ms that are silent after ``before``, the packet in front of them (b"" if none).

    CELT frames fade into `silent_packet` by their overlap. Frames with SILK do not in every decoder
    (FFmpeg's own ends them with a step), so that after one of these the first packet is its TOC byte alone: a
    frame without data (RFC 6716 3.2.1), which decoders conceal by a sound that dies away. Measured on
    tones: silence after 26 ms at most; with libopus no step over 1.6 times the tone's own, without that
    packet up to 49 times. FFmpeg's own decoder conceals speech differently from run to run.
    """
    packets = [silent_packet(channels)] * count
    if count and before and before[0] >> 3 < _HYBRID:
        config = before[0] >> 3
        config = config & ~3 | 1 if config < _SILK else config | 1  # 20 ms of the same mode and band
        packets[0] = bytes((config << 3 | before[0] & 4,))
    return packets
