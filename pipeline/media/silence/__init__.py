"""Silence for gaps in copied sound: ready-made frames, and which of them belong into which gap.

`frames` holds them as data, `recipe` says bit by bit how each is made, `header` finds what those of HE-AAC
need to know of the stream. No codec library and no times live here; that decoders agree is proved by the
tests, which decode them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.media.silence import recipe
from pipeline.media.silence.frames import AAC_LC, HE_AAC

if TYPE_CHECKING:
    from pipeline.media.aac import AdtsConfig

_OBJECT_TYPE = 2  # AAC-LC (ISO/IEC 14496-3 table 1.17); ADTS calls HE-AAC so too


def silent_frames(config: AdtsConfig, count: int, *, sbr: bool = False, header: str = "") -> list[bytes]:
    """Raw data blocks (ISO/IEC 14496-3 4.4.2.1) of silence, 1024 samples of the core each, at any rate.

    Args:
        config: what the stream's ADTS headers say.
        count: how many.
        sbr: the stream is HE-AAC, v1 or v2: decoders put out twice the core's rate and go on doing so.
        header: its SBR header before the gap, as `header.places` gives it; "" if there was none.

    Raises:
        ValueError: the stream is not AAC-LC, or neither mono nor stereo.
    """
    channels = config.channel_configuration
    if config.object_type != _OBJECT_TYPE or channels not in AAC_LC:
        raise ValueError(
            "silence is known for AAC-LC in mono and stereo, not for object type "
            f"{config.object_type} with channel_configuration {channels}"
        )
    if not sbr:
        return [AAC_LC[channels]] * count
    if not header:
        return [HE_AAC[channels]] * count
    held, last = _keeping(channels, header)
    return [*[held] * (count - 1), *[last][:count]]


@lru_cache(maxsize=8)
def _keeping(channels: int, header: str) -> tuple[bytes, bytes]:
    return (
        recipe.frame(channels, recipe.held(channels, header)),
        recipe.frame(channels, recipe.last(channels, header)),
    )
