"""What the ETags of objects tell where a store vouches for them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def whole_etag(parts: Mapping[int, str]) -> str:
    """The ETag that S3 gives an object of parts: the MD5 of their MD5s, and their number; "" if it is none.

    Args:
        parts: ETags by part number.

    >>> whole_etag({1: "900150983cd24fb0d6963f7d28e17f72"})
    'af5da9f45af7a300e3aded972f8ff687-1'
    """
    try:
        digests = b"".join(bytes.fromhex(parts[number]) for number in sorted(parts))
    except ValueError:
        return ""
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
