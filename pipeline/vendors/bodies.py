"""Fields of a callback's body: each is held to a form before anybody sees it.

The first fault ends the reading, as a `Refused` (400) with one sentence that names the field. No sentence
repeats a value: it goes back to whoever sent it, and into logs. A field that nobody asks for is not looked
at, because vendors add some.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pipeline.vendors.base import BadNameError, Ignored
from pipeline.vendors.events import BAD_REQUEST, Refused
from pipeline.vendors.strict_json import read_object

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_MS = 1_000_000_000_000
LAST_MS = 253_402_300_799_999
"""UTC milliseconds that an event may have: 2001 to 9999, so that seconds are never taken for them."""

MOST_KEY = 400
MOST_LISTED = 1000
MOST_NAME = 1024
_DIGITS = re.compile(r"-?(?:0|[1-9]\d{0,19})", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a text has to look like: a pattern for all of it, and the words that say so."""

    pattern: re.Pattern[str]
    words: str

    def takes(self, text: str) -> bool:
        """Whether a text is of the form; none is that holds what cannot be printed, or turns what follows."""
        return text.isprintable() and self.pattern.fullmatch(text) is not None


def form(pattern: str, words: str) -> Form:
    """A form by its regular expression, of ASCII digits and letters."""
    return Form(re.compile(pattern, re.ASCII), words)


WORD = form(r"[!-~]{1,256}", "1 to 256 visible ASCII characters")
ROOM = form(
    r"(?!\.{1,2}\Z)[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]^_{}|~,]{1,64}",
    "1 to 64 letters, digits, spaces and punctuation without slashes",
)
"""Room and channel names of Agora and of TRTC, which have the same characters."""
USER = form(
    r"(?!\.{1,2}\Z)[^/\\]{1,256}",
    "1 to 256 printable characters without slashes",
)


class Part:
    """One object of a body.

    Args:
        data: the object.
        path: to it from the body, with a dot at its end; empty for the body itself.
    """

    __slots__ = ("_data", "_path")

    def __init__(self, data: dict[str, Any], path: str = "") -> None:
        self._data = data
        self._path = path

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self._path}{name}"

    def has(self, *names: str) -> bool:
        """Whether any of some fields is there and not null."""
        return any(self._data.get(name) is not None for name in names)

    def has_text(self, name: str) -> bool:
        """Whether a field is a text: some have two types."""
        return isinstance(self._data.get(name), str)

    def text(self, name: str, wanted: Form, default: str | None = None) -> str:
        """A text of a form; absent, null and empty are the default where there is one."""
        value = self._data.get(name)
        if default is not None and (value is None or value == ""):
            return default
        if not isinstance(value, str) or not wanted.takes(value):
            raise self._refused(name, wanted.words)
        return value

    def raw(self, name: str) -> str:
        """A text of no form, but of whole characters; it is signed, and must not be kept."""
        value = self._data.get(name)
        if not isinstance(value, str) or _HALF.search(value):
            raise self._refused(name, "a text")
        return value

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number, written as one or as a text of digits."""
        value = self._data.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._refused(name, f"a whole number from {least} to {most}")
        return value

    def id(self, name: str, wanted: Form, most: int) -> str:
        """A text of a form, or a whole number from 0, as text; empty where it is absent, null or empty."""
        if not self.has(name) or self.has_text(name):
            return self.text(name, wanted, "")
        return str(self.whole(name, 0, most))

    def moment_ms(self, name: str) -> int:
        """UTC milliseconds of a time by RFC 3339; finer digits are cut off."""
        value = self._data.get(name)
        found = _RFC3339.fullmatch(value) if isinstance(value, str) else None
        moment = None if found is None else _utc_ms(found)
        if moment is None or not FIRST_MS <= moment <= LAST_MS:
            raise self._refused(name, "a time by RFC 3339")
        return moment

    def part(self, name: str, *, needed: bool = True) -> Part:
        """An object; one without fields where it is absent and not needed."""
        value = self._data.get(name)
        if value is None and not needed:
            value = {}
        if not isinstance(value, dict):
            raise self._refused(name, "an object")
        return Part(value, f"{self.at(name)}.")

    def parts(self, name: str) -> list[Part]:
        """The objects of a list; none where it is absent."""
        return [
            Part(value, f"{self.at(name)}[{number}].")
            for number, value in enumerate(self._listed(name))
            if self._is(value, dict, f"{name}[{number}]", "an object")
        ]

    def texts(self, name: str) -> list[str]:
        """The texts of a list, or a text alone; none where it is absent."""
        if self.has_text(name):
            return [self._data[name]]
        return [
            value
            for number, value in enumerate(self._listed(name))
            if self._is(value, str, f"{name}[{number}]", "a text")
        ]

    def forms(self, name: str, wanted: Form) -> list[str]:
        """The texts of a list, each of a form; none where it is absent."""
        found = self.texts(name)
        for number, value in enumerate(found):
            if not wanted.takes(value):
                raise self._refused(f"{name}[{number}]", wanted.words)
        return found

    def body(self, name: str) -> Part:
        """The object in a text of JSON."""
        value = self._data.get(name)
        if not isinstance(value, str):
            raise self._refused(name, "a text that holds a JSON object")
        try:
            return Part(read_object(value), f"{self.at(name)}.")
        except ValueError as fault:
            raise Refused(BAD_REQUEST, f"The text in {self.at(name)} {fault}.") from None

    def _listed(self, name: str) -> list[Any]:
        value = self._data.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MOST_LISTED:
            raise self._refused(name, f"a list of at most {MOST_LISTED}")
        return value

    def _is(self, value: Any, kind: type, name: str, words: str) -> bool:
        if not isinstance(value, kind):
            raise self._refused(name, words)
        return True

    def _refused(self, name: str, words: str) -> Refused:
        there = "" if "[" in name or self.has(name) else " and is missing"
        return Refused(BAD_REQUEST, f"{self.at(name)} has to be {words}{there}.")


def read_body(body: bytes) -> Part:
    """The object that a body is.

    Raises:
        Refused: it is none (400), or none that can be read in one way only (`strict_json`).
    """
    try:
        return Part(read_object(body.decode("utf-8")))
    except UnicodeDecodeError:
        raise Refused(BAD_REQUEST, "The body is not UTF-8.") from None
    except ValueError as fault:
        raise Refused(BAD_REQUEST, f"The body {fault}.") from None


def is_safe(key: str) -> bool:
    """Whether a key of an object stays inside its store: no way up, no empty folder, nothing unprintable.

    >>> is_safe("math/room1/a_b.m3u8"), is_safe("math/../a_b.m3u8"), is_safe("/a"), is_safe("")
    (True, False, False, False)
    """
    folders = key.split("/")
    inside = all(folder not in {"", ".", ".."} for folder in folders)
    return inside and key.isprintable() and "\\" not in key and len(key.encode()) <= MOST_NAME


def is_name(parse: Callable[[str], object], key: str) -> bool:
    """Whether a vendor's grammar of names takes a key as an object of a recording that it made."""
    try:
        return is_safe(key) and not isinstance(parse(key), Ignored)
    except BadNameError:
        return False


def key_of(*parts: str | int) -> str:
    """What tells one piece of news from another: ASCII, and the same for the same parts only.

    >>> key_of("id", 5)
    '["id",5]'
    """
    written = json.dumps(parts, separators=(",", ":"))
    return written if len(written) <= MOST_KEY else sha256(written.encode()).hexdigest()


def _utc_ms(found: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    try:
        away = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        # A leap second is the second before it: nothing here needs to tell them apart.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(away))
        whole = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return whole * 1000 + int(f"{fraction or ''}000"[:3])
