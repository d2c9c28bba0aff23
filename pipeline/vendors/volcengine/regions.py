"""What Volcengine's numbers in ``StorageConfig`` mean.

Which clouds the vendors of CustomConfig are is on https://www.volcengine.com/docs/6348/1188215. The table of
region numbers (https://www.volcengine.com/docs/6348/1167931#region) could not be read, so none is guessed.
"""

from __future__ import annotations

from typing import NoReturn

from pipeline.errors import CommandError

_PROFILES = ("aws", "oss", "obs", "cos", "kodo")


def profile_of(vendor: int) -> str:
    """The name of the storage profile behind CustomConfig's ``Vendor``.

    Raises:
        CommandError: Volcengine has no such vendor.
    """
    if vendor not in range(len(_PROFILES)):
        raise CommandError(
            f"Volcengine has no storage vendor {vendor}: expected 0 to {len(_PROFILES) - 1}; give "
            "profile and region instead"
        )
    return _PROFILES[vendor]


def region_of(vendor: int, region: int) -> NoReturn:
    """Raise CommandError: which regions the numbers are is not known."""
    raise CommandError(
        f"which region Volcengine's number {region} of vendor {vendor} is, is not known: give the cloud's "
        "own id of it as region"
    )
