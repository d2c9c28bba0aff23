"""How the silent frames are made: syntax elements of ISO/IEC 14496-3 written one after another as bits.

What lives here is the source of the data in `frames` (to make one anew, print ``frame(...).hex()``), and of
those frames that need a header of the stream they go into.
"""

from __future__ import annotations

_ID_SCE, _ID_CPE, _ID_FIL, _ID_END = "000", "001", "110", "111"
_TAG = "0000"
_MONO, _STEREO = 1, 2
_ESCAPED = 15  # a count that goes on in esc_count

_EXT_SBR_DATA = "1101"
_NO_HEADER, _HEADER = "0", "1"  # bs_header_flag
_NO_DATA_EXTRA, _NO_COUPLING = "0", "0"
_REACHING_OVER = (
    "01"  # bs_frame_class FIXVAR
    "11"  # bs_var_bord_1: it ends three time slots late
    "00"  # bs_num_rel_1: one envelope
    "1"  # bs_pointer: a transient where it ends
    "1"  # bs_freq_res: high
)
_PLAIN = (
    "00"  # bs_frame_class FIXFIX
    "00"  # one envelope
    "1"  # bs_freq_res: high
)
_FROM_BAND_TO_BAND, _FROM_FRAME_TO_FRAME = "00", "11"  # bs_df_env and bs_df_noise
_MOST_BANDS, _MOST_NOISE_BANDS = 48, 5
_ZEROS = "0" * (
    2 * _MOST_NOISE_BANDS  # bs_invf_mode
    + 7  # bs_env_start_value_level, where there is one
    + 2 * _MOST_BANDS  # deltas, at most two bits each
    + 5  # bs_noise_start_value_level
    + _MOST_NOISE_BANDS  # deltas, one bit each
    + 1  # bs_add_harmonic_flag
)


def frame(channels: int, sbr_data: str = "") -> bytes:
    """A raw_data_block (4.4.2.1): a channel element of nothing, SBR data if any, ID_END, byte alignment.

    Args:
        channels: 1 or 2; ``ValueError`` for others.
        sbr_data: what a function below gives.
    """
    if channels not in {_MONO, _STEREO}:
        raise ValueError(f"one channel element holds 1 or 2 channels, not {channels}")
    bits = _channel_element(channels) + (_fill_element(sbr_data) if sbr_data else "") + _ID_END
    count = _bytes(bits)
    return int(bits.ljust(8 * count, "0"), 2).to_bytes(count, "big")


def with_silent_band(block: bytes, channels: int) -> bytes:
    """A raw data block of AAC-LC that says of the high band `nothing`, so that decoders leave SBR on.

    A block that does not end as encoders end it, with ID_END and less than a byte of zeros, stays as it is.
    """
    bits = f"{int.from_bytes(block, 'big'):0{8 * len(block)}b}"
    used = bits.rstrip("0")
    if not used.endswith(_ID_END) or len(bits) - len(used) >= 8:  # noqa: PLR2004 - bits of a byte
        return block
    bits = used.removesuffix(_ID_END) + _fill_element(nothing(channels)) + _ID_END
    count = _bytes(bits)
    return int(bits.ljust(8 * count, "0"), 2).to_bytes(count, "big")


def nothing(channels: int) -> str:
    """SBR data for a decoder of which nothing is known: all levels are the lowest there is.

    Without any SBR data decoders would switch SBR off. These here are good for every header and every table
    of frequencies, as the code of a delta of 0 consists of 0 bits in all tables (4.A.6.1): zeros follow for
    as many bands as there can be. What could still sound is the noise floor. None is added in an envelope
    that begins with a transient (l_APrev, 4.6.18.7), so every frame claims one at its end.
    """
    return _sbr_data(channels, _NO_HEADER, _REACHING_OVER, _FROM_BAND_TO_BAND)


def held(channels: int, header: str) -> str:
    """SBR data that leave the decoder's levels as the frame before the gap has set them.

    The frame after the gap is mostly coded as the difference to that one. Where `nothing` stood in between,
    FFmpeg found levels below 0 after one of twenty gaps, said so, and left the high band out until the next
    header. So each delta from frame to frame is 0 (4.6.18.3). High frequency resolution gives low ones back
    as they were.

    The envelope reaches three time slots into the next frame. There the last of the sound before is still in
    the filters, and an envelope that began with it would raise it to a level of its own.

    A level that was meant in steps of 1.5 dB must not be taken for one in steps of 3 dB, which would be
    louder than full scale: the header says 1.5 dB (bs_amp_res), and that of `last` puts it right again.

    Args:
        channels: of the core.
        header: sbr_header of the stream, as binary digits.
    """
    return _sbr_data(channels, _HEADER + "0" + header[1:], _REACHING_OVER, _FROM_FRAME_TO_FRAME)


def last(channels: int, header: str) -> str:
    """As `held`, for the last frame of a gap, or the only one: with the header as the stream has it.

    An envelope of this grid has steps of 1.5 dB whatever the header says (4.6.18.3.2).
    """
    return _sbr_data(channels, _HEADER + header, _PLAIN, _FROM_FRAME_TO_FRAME)


def _sbr_data(channels: int, header: str, grid: str, direction: str) -> str:
    """sbr_extension_data (4.4.2.8) with the same for each channel, no harmonics and no extension."""
    coupling = _NO_COUPLING if channels == _STEREO else ""
    fields = channels * grid + channels * direction + channels * _ZEROS
    no_extended_data = "0"
    return _EXT_SBR_DATA + header + _NO_DATA_EXTRA + coupling + fields + no_extended_data


def _channel_element(channels: int) -> str:
    """single_channel_element or channel_pair_element (4.4.2.1).

    ``max_sfb`` is 0, so that there are no sections, no scale factors and no spectrum.
    """
    ics_info = (
        "0"  # ics_reserved_bit
        "00"  # window_sequence ONLY_LONG_SEQUENCE
        "0"  # window_shape: sine
        "000000"  # max_sfb
        "0"  # predictor_data_present
    )
    global_gain = "00000000"
    tools = "000"  # no pulse_data, no tns_data, no gain_control_data
    if channels == _MONO:
        return _ID_SCE + _TAG + global_gain + ics_info + tools
    common_window, ms_mask_present = "1", "00"
    return _ID_CPE + _TAG + common_window + ics_info + ms_mask_present + 2 * (global_gain + tools)


def _fill_element(payload: str) -> str:
    count = _bytes(payload)
    size = f"{count:04b}" if count < _ESCAPED else f"{_ESCAPED:04b}{count - _ESCAPED + 1:08b}"
    return _ID_FIL + size + payload.ljust(8 * count, "0")


def _bytes(bits: str) -> int:
    """How many bytes hold them."""
    return -(-len(bits) // 8)
