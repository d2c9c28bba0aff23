"""HE-AAC v1 for tests: a minimal SBR bitstream written into the blocks of FFmpeg's AAC-LC encoder.

What lives here makes the frames that a recorder with HE-AAC writes by implicit signalling: the ADTS header
speaks of AAC-LC at half the rate, the SBR data sit in a fill element. Nothing is analysed: the high band is
noise of one level that never changes. Syntax: ISO/IEC 14496-3 4.4.2.7 (fill_element) and 4.4.2.8 (SBR).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.media.encode import CodedSound, adts_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CORE_RATE = 24_000
"""Samples per second of the AAC-LC core, as its ADTS header says; the frequency tables below are for it."""
RATE = 2 * CORE_RATE
"""Samples per second that a decoder puts out."""
FRAME = 2048
"""Samples that a frame decodes to."""
DELAY = 481
"""Core samples by which SBR makes the sound late: 577 of the two QMF banks and 6 slots of 64, at `RATE`."""
BAND_HZ = (4_500, 13_500)
"""What SBR replaces: QMF subbands 12 to 36 of 375 Hz. Above the core's 12 kHz nothing else is heard."""

_ID_FIL, _ID_END = "110", "111"
_ESCAPED = 15  # a count that goes on in esc_count
_EXT_SBR_DATA = "1101"
_BANDS = 12  # of high frequency resolution: that many pairs of subbands
_SAME_AGAIN = "00"  # delta 0 in f_huffman_env_1_5dB (annex 4.A.6)
_LEVEL = 24  # 64 * 2**(24 / 2) in a subband, the scale being that of 16 bits: hardly audible
_NOISE_FLOOR = 6  # 2**(6 - 6): as much noise as copied spectrum

_HEADER = (
    "0"  # bs_amp_res: steps of 1.5 dB
    "0100"  # bs_start_freq: from subband 12, at 48 kHz
    "1111"  # bs_stop_freq: to three times that
    "000"  # bs_xover_band: from its first band on
    "00"  # bs_reserved
    "10"  # bs_header_extra_1: the next three; bs_header_extra_2: the usual limiter
    "00"  # bs_freq_scale: bands of one width,
    "1"  # bs_alter_scale: which is two subbands
    "00"  # bs_noise_bands: one
)
_GRID = "00001"  # bs_frame_class FIXFIX, one envelope, high frequency resolution
_DTDF = "00"  # envelope and noise floor go from band to band
_INVF = "00"  # no inverse filtering
_ENVELOPE = f"{_LEVEL:07b}" + _SAME_AGAIN * (_BANDS - 1)
_NOISE = f"{_NOISE_FLOOR:05b}"
_FIELDS = (_GRID, _DTDF, _INVF, _ENVELOPE, _NOISE, "0")  # the last: bs_add_harmonic_flag


def he_aac(blocks: Iterable[CodedSound], *, channels: int, header_every: int = 10) -> Iterator[CodedSound]:
    """The same frames with SBR data, at the same positions in core samples.

    Args:
        blocks: AAC-LC at `CORE_RATE`, as `pipeline.media.encode.encode_sound` gives them.
        channels: of the blocks, 1 or 2.
        header_every: the first frame carries an SBR header, and each that is this many after another.

    Raises:
        ValueError: as `with_sbr`.
    """
    for number, coded in enumerate(blocks):
        block = with_sbr(coded.block, channels=channels, header=number % header_every == 0)
        yield CodedSound(adts_header(len(block), CORE_RATE, channels), block, coded.position)


def with_sbr(block: bytes, *, channels: int, header: bool) -> bytes:
    """A raw data block with one channel element, and SBR data for it before its ID_END.

    Raises:
        ValueError: it does not end as encoders end it, with ID_END and zero bits to the next byte.
    """
    bits = f"{int.from_bytes(block, 'big'):0{8 * len(block)}b}"
    used = bits.rstrip("0")
    if not used.endswith(_ID_END) or len(bits) - len(used) >= 8:
        raise ValueError("a raw data block ends with ID_END and less than a byte of padding")
    bits = _padded(used.removesuffix(_ID_END) + _fill_element(channels, header=header) + _ID_END)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _fill_element(channels: int, *, header: bool) -> str:
    """fill_element with sbr_extension_data, as binary digits."""
    data = _padded(_EXT_SBR_DATA + ("1" + _HEADER if header else "0") + _sbr_data(channels))
    count = len(data) // 8
    size = f"{count:04b}" if count < _ESCAPED else f"{_ESCAPED:04b}{count - _ESCAPED + 1:08b}"
    return _ID_FIL + size + data


def _sbr_data(channels: int) -> str:
    """sbr_single_channel_element, or sbr_channel_pair_element with each field twice.

    In front: no bs_data_extra and, for a pair, no bs_coupling; at the end: no bs_extended_data.
    """
    return "0" * channels + "".join(field * channels for field in _FIELDS) + "0"


def _padded(bits: str) -> str:
    return bits + "0" * (-len(bits) % 8)
