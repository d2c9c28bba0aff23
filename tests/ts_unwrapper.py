"""MPEG-TS slices unwrapped slowly and obviously, from the standards and with the standard library alone.

The second opinion on payloads: shares no code with ``pipeline``. Comes from ISO/IEC 13818-1 (packets 2.4.3.2,
PES 2.4.3.6, PSI 2.4.4), Annex B of ISO/IEC 14496-10 and 23008-2 (start codes), 14496-3 1.A.2 (ADTS).
"""

from __future__ import annotations

from typing import NamedTuple

PACKET_BYTES = 188
STREAM_TYPES = {0x0F: "aac", 0x1B: "h264", 0x24: "hevc"}
PICTURES = ("h264", "hevc")

# NAL unit types that the normal form leaves out: access unit delimiter, ends of sequence and stream, filler.
H264_LEFT_OUT = {9, 10, 11, 12}
HEVC_LEFT_OUT = {35, 36, 37, 38}
HEVC_PARAMETER_SETS = {32, 33, 34}


class AccessUnit(NamedTuple):
    """One picture or one sound frame in the form that MP4 holds it in.

    ``pts`` is that of its PES packet (33 bits; the first frame's where a PES holds several). ``payload`` is
    NAL units after their length in 4 bytes, or one raw AAC block without its ADTS header. ``whole`` is False
    where the slice ends before the access unit does.
    """

    pts: int | None
    payload: bytes
    whole: bool


def unwrap(data: bytes, medium: str, *, in_band: bool = False) -> list[AccessUnit]:
    """The access units of the first ``audio`` or ``video`` stream of a slice, in their order.

    Empty if its program map names no such stream (a combined slice before the camera came on).
    HEVC parameter sets stay in them with ``in_band``.
    """
    packets = [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]
    broken_off = bool(packets) and len(packets[-1]) < PACKET_BYTES
    if broken_off:
        packets.pop()
    stream = _stream(packets, medium)
    if stream is None:
        return []
    pid, codec = stream
    units: list[AccessUnit] = []
    chosen = [packet for packet in packets if _pid(packet) == pid]
    pes_packets = _joined(chosen)
    for number, pes in enumerate(pes_packets):
        last = number == len(pes_packets) - 1
        declared = int.from_bytes(pes[4:6], "big")
        whole = 6 + declared <= len(pes) if declared else not (last and broken_off)
        payload = pes[9 + pes[8] : 6 + declared if declared else None]
        if codec == "aac":
            units += [AccessUnit(_pts(pes), block, whole=True) for block in adts_blocks(payload)]
        else:
            units.append(AccessUnit(_pts(pes), sample(payload, codec, in_band=in_band), whole))
    return units


def _pid(packet: bytes) -> int:
    assert packet[0] == 0x47, "a TS packet begins with a sync byte"
    return (packet[1] & 0x1F) << 8 | packet[2]


def _starts(packet: bytes) -> bool:
    return bool(packet[1] & 0x40)


def _payload(packet: bytes) -> bytes:
    control = packet[3] >> 4 & 0b11
    if control in {0b00, 0b10}:
        return b""
    return packet[4:] if control == 0b01 else packet[5 + packet[4] :]


def _joined(packets: list[bytes]) -> list[bytes]:
    """The payloads of one PID, put together from one payload_unit_start_indicator to the next."""
    units: list[bytes] = []
    for packet in packets:
        if _starts(packet):
            units.append(b"")
        if units:
            units[-1] += _payload(packet)
    return units


def _section(packets: list[bytes], pid: int) -> bytes:
    """The first PSI section of a PID, without its CRC."""
    unit = _joined([packet for packet in packets if _pid(packet) == pid])[0]
    section = unit[1 + unit[0] :]
    length = (section[1] & 0x0F) << 8 | section[2]
    return section[: 3 + length - 4]


def _stream(packets: list[bytes], medium: str) -> tuple[int, str] | None:
    """PID and codec of the first stream of a medium, by PAT and PMT; None if there is none."""
    pat = _section(packets, 0)
    programs = [pat[at : at + 4] for at in range(8, len(pat), 4)]
    program_map = next((p[2] & 0x1F) << 8 | p[3] for p in programs if p[:2] != b"\0\0")
    pmt = _section(packets, program_map)
    at = 12 + ((pmt[10] & 0x0F) << 8 | pmt[11])
    while at < len(pmt):
        codec = STREAM_TYPES.get(pmt[at], "")
        if codec and (codec in PICTURES) == (medium == "video"):
            return (pmt[at + 1] & 0x1F) << 8 | pmt[at + 2], codec
        at += 5 + ((pmt[at + 3] & 0x0F) << 8 | pmt[at + 4])
    return None


def _pts(pes: bytes) -> int | None:
    assert pes[:3] == b"\0\0\1", "a PES packet begins with its start code prefix"
    if not pes[7] & 0x80:
        return None
    bits = "".join(f"{byte:08b}" for byte in pes[9:14])
    return int(bits[4:7] + bits[8:23] + bits[24:39], 2)


def nal_units(data: bytes) -> list[bytes]:
    """What stands between start codes, without the zero bytes that may follow a NAL unit."""
    units = []
    at = data.find(b"\0\0\1")
    while at >= 0:
        after = data.find(b"\0\0\1", at + 3)
        units.append(data[at + 3 : after if after >= 0 else None].rstrip(b"\0"))
        at = after
    return [unit for unit in units if unit]


def sample(data: bytes, codec: str, *, in_band: bool = False) -> bytes:
    """The normal form of an access unit: an ``avc1`` or ``hev1`` sample, or ``hvc1`` without its sets."""
    out = b""
    for unit in nal_units(data):
        kind = unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F
        hevc = HEVC_LEFT_OUT if in_band else HEVC_LEFT_OUT | HEVC_PARAMETER_SETS
        left_out = H264_LEFT_OUT if codec == "h264" else hevc
        if kind not in left_out:
            out += len(unit).to_bytes(4, "big") + unit
    return out


def adts_blocks(data: bytes) -> list[bytes]:
    """The raw data blocks of ADTS frames that hold one block each; a frame that is cut off is left out."""
    blocks = []
    at = 0
    while at + 7 <= len(data):
        head = data[at : at + 7]
        assert head[0] == 0xFF, "an ADTS frame begins with its syncword"
        assert head[1] & 0xF0 == 0xF0, "an ADTS frame begins with its syncword"
        assert head[6] & 0b11 == 0, "one raw data block in a frame"
        length = (head[3] & 0b11) << 11 | head[4] << 3 | head[5] >> 5
        header = 7 if head[1] & 1 else 9
        if at + length > len(data):
            break
        blocks.append(data[at + header : at + length])
        at += length
    return blocks
