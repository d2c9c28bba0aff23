"""The key of a job: which work it is, whatever time it is done and whatever slices are there by then."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = 16


def job_key(vendor: str, prefix: str, name: str, options: Mapping[str, str]) -> str:
    """16 hex digits of the SHA-256 over a recording and what was asked for.

    Args:
        vendor: as in `pipeline.model.slices.Recording`.
        prefix: as vendor.
        name: as vendor.
        options: as `pipeline.model.options.Options.as_text` gives them; their order does not matter. Those
            that are empty don't count, so that new ones leave the keys of jobs as they are.

    >>> job_key("agora", "", "sid_room", {}) == job_key("agora", "sid", "room", {})
    False
    """
    # JSON tells where one text ends and the next begins, and takes any character.
    text = json.dumps(
        [vendor, prefix, name, sorted((option, text) for option, text in options.items() if text)]
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGITS]
