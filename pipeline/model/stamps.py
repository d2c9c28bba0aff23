"""The 17-digit UTC stamp ``YYYYMMDDHHMMSSmmm`` that all vendors put into names."""

from __future__ import annotations

from datetime import UTC, datetime

DIGITS = 17
FIRST_YEAR, LAST_YEAR = 1970, 9998  # what can be counted in milliseconds, with room to add to it


def utc_ms(stamp: str) -> int | None:
    """UTC milliseconds of a stamp; None when it is no real date.

    >>> utc_ms("20190611073246073")
    1560238366073
    >>> utc_ms("20191320125142485") is None
    True
    """
    if len(stamp) != DIGITS or not stamp.isascii() or not stamp.isdigit():
        return None
    if not FIRST_YEAR <= int(stamp[:4]) <= LAST_YEAR:
        return None
    day = (int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]))
    try:
        whole = datetime(*day, int(stamp[8:10]), int(stamp[10:12]), int(stamp[12:14]), tzinfo=UTC)
    except ValueError:
        return None
    return int(whole.timestamp()) * 1000 + int(stamp[14:])


def stamp17(at_ms: int) -> str:
    """The stamp of UTC milliseconds; the reverse of `utc_ms`.

    >>> stamp17(1560238366073)
    '20190611073246073'
    """
    whole = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{whole.year:04d}{whole:%m%d%H%M%S}{at_ms % 1000:03d}"
