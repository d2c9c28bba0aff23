"""HE-AAC for tests: a minimal SBR bitstream written into the blocks of FFmpeg's AAC-LC encoder.

What lives here makes the frames that a recorder with HE-AAC writes by implicit signalling: the ADTS header
speaks of AAC-LC at half the rate, the SBR data sit in a fill element. Nothing is analysed: the high band is
noise of one level that never changes, and the stereo of v2 is one source in the middle. What encoders make of
sound is in ``fixtures/clips``. Syntax: ISO/IEC 14496-3 4.4.2.7 (fill_element), 4.4.2.8 (SBR), 8.A.2 (PS).
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
_BANDS = {16_000: 20, 22_050: 16, 24_000: 16, 32_000: 16, 44_100: 14, 48_000: 12, 64_000: 12, 96_000: 10}
"""By `RATE`, of high frequency resolution: that many pairs of subbands by the header (4.6.18.3.2)."""
CORE_RATES = tuple(rate // 2 for rate in _BANDS)
"""Of all streams that can be made here."""
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
_NOISE = f"{_NOISE_FLOOR:05b}"
_NO_EXTENSION = "0"  # bs_extended_data
_PS_HEADER = (
    "1"  # enable_iid
    "000"  # iid_mode: 10 bands
    "0"  # enable_icc
    "0"  # enable_ext
)
_PS_FRAME = (
    "0"  # frame_class
    "01"  # num_env_idx: one
    "0"  # iid_dt: from band to band
    "0000000000"  # no difference between the channels in any band
)


def he_aac(
    blocks: Iterable[CodedSound],
    *,
    channels: int,
    rate: int = CORE_RATE,
    ps: bool = False,
    header_every: int = 10,
) -> Iterator[CodedSound]:
    """The same frames with SBR data, at the same positions in core samples.

    Args:
        blocks: AAC-LC, as `pipeline.media.encode.encode_sound` gives them.
        channels: of the blocks, 1 or 2.
        rate: of the blocks, one of `CORE_RATES`.
        ps: with Parametric Stereo data: HE-AAC v2. Only for one channel.
        header_every: the first frame carries SBR and PS headers, and each that is this many after another.

    Raises:
        ValueError: as `with_sbr`.
    """
    for number, coded in enumerate(blocks):
        header = number % header_every == 0
        block = with_sbr(coded.block, channels=channels, rate=rate, ps=ps, header=header)
        yield CodedSound(adts_header(len(block), rate, channels), block, coded.position)


def with_sbr(block: bytes, *, channels: int, header: bool, rate: int = CORE_RATE, ps: bool = False) -> bytes:
    """A raw data block with one channel element, and SBR data for it before its ID_END.

    Raises:
        ValueError: it does not end as encoders end it, with ID_END and zero bits to the next byte.
    """
    bits = f"{int.from_bytes(block, 'big'):0{8 * len(block)}b}"
    used = bits.rstrip("0")
    if not used.endswith(_ID_END) or len(bits) - len(used) >= 8:
        raise ValueError("a raw data block ends with ID_END and less than a byte of padding")
    sbr = "1" + _HEADER if header else "0"
    sbr += _sbr_data(channels, _BANDS[2 * rate])
    sbr += _ps(header=header) if ps else _NO_EXTENSION
    bits = _padded(used.removesuffix(_ID_END) + _fill_element(sbr) + _ID_END)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _fill_element(sbr: str) -> str:
    """fill_element with sbr_extension_data, as binary digits."""
    data = _padded(_EXT_SBR_DATA + sbr)
    count = len(data) // 8
    size = f"{count:04b}" if count < _ESCAPED else f"{_ESCAPED:04b}{count - _ESCAPED + 1:08b}"
    return _ID_FIL + size + data


def _sbr_data(channels: int, bands: int) -> str:
    """sbr_single_channel_element, or sbr_channel_pair_element with each field twice, up to bs_extended_data.

    In front: no bs_data_extra and, for a pair, no bs_coupling; the last field is bs_add_harmonic_flag.
    """
    envelope = f"{_LEVEL:07b}" + _SAME_AGAIN * (bands - 1)
    fields = (_GRID, _DTDF, _INVF, envelope, _NOISE, "0")
    return "0" * channels + "".join(field * channels for field in fields)


def _ps(*, header: bool) -> str:
    """bs_extended_data with bs_extension_id EXTENSION_ID_PS and ps_data."""
    data = _padded("10" + ("1" + _PS_HEADER if header else "0") + _PS_FRAME)
    return "1" + f"{len(data) // 8:04b}" + data


def _padded(bits: str) -> str:
    return bits + "0" * (-len(bits) % 8)
