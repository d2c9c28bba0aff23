"""Everything that is vendor-specific, a folder a vendor, and the choice between them by name.

Adding a vendor is adding a folder and a line in `VENDORS`.
"""

from __future__ import annotations

import re
from typing import Protocol

from pipeline.vendors import agora, trtc
from pipeline.vendors.agora.names import USER_BEGINS as AGORA_USER
from pipeline.vendors.base import BadNameError, Ignored, Name, Playlist
from pipeline.vendors.trtc.names import RECORD_ID_ENDS as TRTC_RECORD_ID
from pipeline.vendors.trtc.names import USER_BEGINS as TRTC_USER

__all__ = ["VENDORS", "Vendor", "parse"]


class Vendor(Protocol):
    """What a vendor's folder offers; its module is the value."""

    def parse(self, key: str) -> Name | Ignored:
        """The name behind a key; raises `BadNameError`."""

    def read_playlist(self, text: str, key: str) -> Playlist:
        """The playlist in ``text``; ``key`` is for messages. Raises `PlaylistError`, `UnsafeUriError`."""


VENDORS: dict[str, Vendor] = {"agora": agora, "trtc": trtc}

_TRTC_FAILOVER = re.compile(r"ha\d+_\d+_", re.ASCII)
_SDK_APP_ID = re.compile(r"\d{8,10}_", re.ASCII)


def parse(key: str) -> Name | Ignored:
    """The name behind ``key`` by the vendor that wrote it; raises `BadNameError` when nobody did.

    Markers decide where there are any: ``__uid_s_`` is Agora's, ``UserId_s_``, ``__UserDefine_u_`` and
    ``ha<n>_<digits>_`` are TRTC's. The names of composites have none: ``<sid>_<cname>.m3u8`` and
    ``<SdkAppId>_<RoomId>.m3u8`` look alike. An SdkAppId has 8 to 10 decimal digits (20055501, 1400123456)
    and an Agora sid 32 hexadecimal ones, so a first field like that is tried as TRTC first, any other as
    Agora first; what the first vendor refuses, the second may take (``20055501_my_room.m3u8``: Agora).
    """
    for vendor in _candidates(key.rpartition("/")[2]):
        try:
            return VENDORS[vendor].parse(key)
        except BadNameError:
            continue
    raise BadNameError(key, "expected an Agora or TRTC recording name")


def _candidates(name: str) -> tuple[str, ...]:
    """The vendors that may have written ``name``, likeliest first."""
    if AGORA_USER in name:
        # An Agora channel may be called anything; a TRTC name cannot hold this marker.
        return ("agora",)
    if TRTC_USER in name or TRTC_RECORD_ID in name or _TRTC_FAILOVER.match(name):
        return ("trtc",)
    return ("trtc", "agora") if _SDK_APP_ID.match(name) else ("agora", "trtc")
