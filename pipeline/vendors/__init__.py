"""Everything that is vendor-specific, a folder a vendor, and the choice between them by name.

Adding a vendor is adding a folder and a line in `VENDORS`.
"""

from __future__ import annotations

import re
from typing import Protocol

from pipeline.vendors import agora, agora_onpremise, trtc, volcengine
from pipeline.vendors.agora.names import USER_BEGINS as AGORA_USER
from pipeline.vendors.agora_onpremise.names import is_recovery
from pipeline.vendors.base import BadNameError, Ignored, Name, Playlist
from pipeline.vendors.outputs import is_output
from pipeline.vendors.trtc.names import RECORD_ID_ENDS as TRTC_RECORD_ID
from pipeline.vendors.trtc.names import USER_BEGINS as TRTC_USER
from pipeline.vendors.volcengine.names import is_marked

__all__ = ["VENDORS", "Vendor", "parse"]


class Vendor(Protocol):
    """What a vendor's folder offers; its module is the value."""

    def parse(self, key: str) -> Name | Ignored:
        """The name behind a key; raises `BadNameError`."""

    def read_playlist(self, text: str, key: str) -> Playlist:
        """The playlist in ``text``; ``key`` is for messages. Raises `PlaylistError`, `UnsafeUriError`."""


VENDORS: dict[str, Vendor] = {
    "agora": agora,
    "agora_onpremise": agora_onpremise,
    "trtc": trtc,
    "volcengine": volcengine,
}

_TRTC_FAILOVER = re.compile(r"ha\d+_\d+_", re.ASCII)
_SDK_APP_ID = re.compile(r"\d{8,10}_", re.ASCII)


def parse(key: str) -> Name | Ignored:
    """The name behind ``key`` by the vendor that wrote it; raises `BadNameError` when nobody did.

    Markers decide where there are any: ``__uid_s_`` is Agora's, ``UserId_s_``, ``__UserDefine_u_`` and
    ``ha<n>_<digits>_`` are TRTC's, a start of 13 digits with a padded duration behind it is Volcengine's, and
    ``.mp4.h264`` or ``.mp4.aac`` the on-premise SDK's. The names of composites have none:
    ``<sid>_<cname>.m3u8`` and ``<SdkAppId>_<RoomId>.m3u8`` look alike. An SdkAppId has 8 to 10 decimal digits
    (20055501, 1400123456) and an Agora sid 32 hexadecimal ones, so a first field like that is tried as TRTC
    first, any other as Agora first; what the first vendor refuses, the second may take
    (``20055501_my_room.m3u8``: Agora). The on-premise SDK comes after both, because only they write
    ``<sid>_<cname>_<utc17>.ts``, which a user id with ``_`` would look like.
    """
    for vendor in _candidates(key.rpartition("/")[2]):
        try:
            return VENDORS[vendor].parse(key)
        except BadNameError:
            continue
    raise BadNameError(key, "expected a recording name of Agora, TRTC or Volcengine")


def _candidates(name: str) -> tuple[str, ...]:
    """The vendors that may have written ``name``, likeliest first."""
    if AGORA_USER in name or is_output(name):
        # An Agora channel may be called anything; a TRTC name cannot hold this marker. Agora knows outputs.
        return ("agora",)
    if is_recovery(name):
        return ("agora_onpremise",)
    if is_marked(name):
        return ("volcengine",)
    if TRTC_USER in name or TRTC_RECORD_ID in name or _TRTC_FAILOVER.match(name):
        return ("trtc",)
    clouds = ("trtc", "agora") if _SDK_APP_ID.match(name) else ("agora", "trtc")
    return (*clouds, "agora_onpremise", "volcengine")
