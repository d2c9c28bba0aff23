"""Names of output files: any user id becomes a name that every file system and shell takes.

Unicode letters and digits and ``._@+-`` stay; everything else, and a leading ``.`` or ``-``, is
percent-encoded as UTF-8. Names over 120 bytes are cut and end in 8 hex digits of a hash of the whole; names
that differ only in case get the hash too, because some file systems fold it.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from string import Formatter
from typing import TYPE_CHECKING
from unicodedata import normalize

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES = 120
DEFAULT = "{uid}{screen}_{utc}{kind}"
MIXED = "mixed"
"""Stands for the user id of a composite, which has none."""
FIELDS = ("uid", "screen", "utc", "kind", "recording")
_KEPT = re.compile(r"[\w.@+-]")
_HASH_DIGITS, _MOST_HASH_DIGITS = 8, 64


def safe(text: str) -> str:
    """One path component that holds ``text`` readably and cannot mean anything else.

    >>> safe("a/b c"), safe("-rf"), safe("张三"), safe("")
    ('a%2Fb%20c', '%2Drf', '张三', '%')
    """
    whole = normalize("NFC", text)
    out = [
        char if _KEPT.fullmatch(char) and not (n == 0 and char in ".-") else _percent(char)
        for n, char in enumerate(whole)
    ]
    return "".join(out) or "%"


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def cut(stem: str, whole: str) -> str:
    """``stem`` itself when it is short enough, else its beginning and a hash of ``whole``."""
    data = stem.encode("utf-8", "surrogatepass")
    if len(data) <= MOST_BYTES:
        return stem
    return hashed(stem, whole)


def hashed(stem: str, whole: str, digits: int = _HASH_DIGITS) -> str:
    """The beginning of ``stem`` and so many hex digits of a hash of ``whole``, not too long together."""
    tail = "_" + hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
    room = MOST_BYTES - len(tail)
    head = stem.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore")
    return re.sub(r"%[0-9A-F]?$", "", head) + tail


def fill(pattern: str, values: dict[str, str]) -> str:
    """The pattern with its fields filled in; every field's value and the text between are made safe.

    Raises:
        CommandError: the pattern has an unknown field or is no pattern.
    """
    try:
        parts = list(Formatter().parse(pattern or DEFAULT))
    except ValueError as error:
        raise CommandError(f"--name {pattern!r} is no pattern ({error}): use {_field_list()}.") from error
    out = []
    for text, field, spec, conversion in parts:
        out.append(text)
        if field is None:
            continue
        if field not in FIELDS or spec or conversion:
            raise CommandError(f"--name {pattern!r} has an unknown field {field!r}: use {_field_list()}.")
        out.append(values[field])
    return safe("".join(out))


def _field_list() -> str:
    return " ".join(f"{{{field}}}" for field in FIELDS)


def unique(stems: Sequence[tuple[str, str]]) -> list[str]:
    """Final names for ``(stem, identity)`` pairs: cut, and hashed where two would fall together.

    >>> unique([("Ann", "Ann"), ("ann", "ann")])[0] != "Ann"
    True
    """
    names = [cut(stem, identity) for stem, identity in stems]
    digits = _HASH_DIGITS
    while len(shared := _shared(names)) and digits <= _MOST_HASH_DIGITS:
        names = [
            hashed(stem, identity, digits) if name.casefold() in shared else name
            for name, (stem, identity) in zip(names, stems, strict=True)
        ]
        digits *= 2  # a hash may meet another's name
    return names


def _shared(names: Sequence[str]) -> set[str]:
    """The names, case folded, that more than one has."""
    return {name for name, count in Counter(n.casefold() for n in names).items() if count > 1}
