"""Lengths of time as a person writes them in options and jobs."""

from __future__ import annotations

import re

from pipeline.errors import CommandError

_FINE = re.compile(r"(\d{1,9})ms", re.ASCII)
_PARTS = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,7})m)?(?:(\d{1,9})(?:\.(\d{1,3}))?s)?", re.ASCII)


def duration_ms(text: str) -> int:
    """Milliseconds of days, hours, minutes and seconds, the largest first; "0" needs no unit.

    >>> duration_ms("90s"), duration_ms("2m"), duration_ms("1h30m"), duration_ms("0")
    (90000, 120000, 5400000, 0)
    >>> duration_ms("3.5s"), duration_ms("30d")
    (3500, 2592000000)

    Raises:
        CommandError: it is none.
    """
    found = _PARTS.fullmatch("0s" if text == "0" else text) if text else None
    if found is None:
        raise CommandError(f"{text!r} is no duration: give one such as 30d, 6h, 2m or 90s.")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return whole * 1000 + int((found[5] or "").ljust(3, "0"))


def short_duration_ms(text: str) -> int:
    """As `duration_ms`, or of milliseconds alone.

    >>> short_duration_ms("500ms"), short_duration_ms("5s")
    (500, 5000)

    Raises:
        CommandError: it is none.
    """
    found = _FINE.fullmatch(text)
    return int(found[1]) if found else duration_ms(text)
