"""What TRTC's ``CloudStorage`` means: its vendors have numbers, its regions are the clouds' own ids.

Source: https://trtc.io/document/36760 (data type CloudStorage).
"""

from __future__ import annotations

from typing import NoReturn

from pipeline.errors import CommandError

_PROFILES = ("cos", "aws")


def profile_of(vendor: int) -> str:
    """The name of the storage profile behind ``Vendor``.

    Raises:
        CommandError: TRTC has no such vendor.
    """
    if vendor not in range(len(_PROFILES)):
        raise CommandError(
            f"TRTC has no storage vendor {vendor}: expected 0 or 1; give profile and region instead"
        )
    return _PROFILES[vendor]


def region_of(vendor: int, region: int) -> NoReturn:
    """Raise CommandError: a region of CloudStorage is a text."""
    raise CommandError(
        f"TRTC numbers no regions, but {region} was given for vendor {vendor}: give CloudStorage's Region as "
        "region, which is the cloud's own id"
    )
