"""Fields of a request that a vendor's service takes: each with its path, its range and its default.

Nothing here stops at a fault: a field that is wrong is told in `Told` and read as something harmless, so that
all faults of a document come at once. What nobody has read at the end is a field that there is not. No
sentence here repeats a text of the document but colours and words of a choice: a text may be a secret.
"""

from __future__ import annotations

import re
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.layout.limits import either
from pipeline.vendors.told import MOST_FAULTS, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
MOST_LISTED = 300
MOST_SHOWN = 10
MOST_ID = 256
MOST_NAME = 64
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_PLAIN = re.compile(r"[\w#$@.:\- ]{1,64}", re.ASCII)
_NOT_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Fields:
    """One object of the document.

    A field that is absent or null has its default; without a default it has to be there.

    Args:
        data: the object.
        path: to it from the document, with a dot at its end; empty for the document itself.
        told: collects faults and notes.
    """

    __slots__ = ("_data", "_parts", "_path", "_read", "told")

    def __init__(self, data: dict[str, Any], path: str, told: Told) -> None:
        self._data = data
        self._path = path
        self._read: dict[str, None] = {}
        self._parts: dict[str, Fields] = {}
        self.told = told
        told.opened.append(self)

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self._path}{name}"

    def has(self, name: str) -> bool:
        """Whether it is given."""
        self._read[name] = None
        return self._data.get(name) is not None

    def any_has(self, name: str, *fields: str) -> bool:
        """Whether an object of a list has one of some fields; nothing of it counts as read by that."""
        listed = self._data.get(name)
        objects = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        return any(field in each for each in objects for field in fields)

    def fault(self, name: str, text: str) -> None:
        """Something is wrong with a field."""
        self.told.faults.append(f"{self.at(name)}: {text}")

    def faulty(self, *names: str) -> bool:
        """Whether something is wrong with any of some fields."""
        return any(fault.startswith(f"{self.at(name)}: ") for fault in self.told.faults for name in names)

    def note(self, name: str, text: str) -> None:
        """A field means nothing here, or is done otherwise."""
        self.told.notes.append(f"{self.at(name)}: {text}.")

    def remark(self, text: str, *names: str) -> None:
        """Notes each of some fields that is given."""
        for name in names:
            if self.has(name):
                self.note(name, text)

    def ignore(self, text: str, *names: str) -> None:
        """Fields that are known and not looked into; each that is given is noted."""
        self.remark(text, *names)
        inside = tuple(f"{self.at(name)}{mark}" for name in names for mark in ".[")
        self.told.opened = [part for part in self.told.opened if not part.at("").startswith(inside)]

    def whole(
        self, name: str, least: int, most: int, default: int | None = None, *, even: bool = False
    ) -> int:
        """A whole number from ``least`` to ``most``."""
        kind = f"an even number from {least} to {most}" if even else f"{least} to {most}"
        value = self._given(name, required=default is None)
        if value is None:
            return least if default is None else default
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            kind = kind if even else f"a whole number from {kind}"
        elif least <= value <= most and not (even and value % 2):
            return value
        return self._refused(name, kind, value, least if default is None else default)

    def ignored_whole(self, name: str, least: int, most: int, text: str) -> None:
        """A whole number that means nothing here, and is looked at all the same."""
        if self.has(name):
            self.whole(name, least, most)
            self.note(name, text)

    def fraction(
        self, name: str, default: Fraction | None = None, *, above: bool = False, below: bool = False
    ) -> Fraction:
        """A number from 0 to 1.

        Args:
            name: of the field.
            default: None where it has to be there.
            above: 0 is not allowed.
            below: 1 is not allowed.
        """
        kind = f"{'more than 0' if above else '0'} to {'less than 1' if below else '1'}"
        value = self._given(name, required=default is None)
        harmless = Fraction(1 if above else 0) if default is None else default
        if value is None:
            return harmless
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return self._refused(name, f"a number from {kind}", value, harmless)
        if 0 <= value <= 1 and not (above and value == 0) and not (below and value == 1):
            return Fraction(value)
        return self._refused(name, kind, value, harmless)

    def one_of(self, name: str, meanings: Mapping[int, T], default: int | None = None) -> T:
        """What one of some numbers means."""
        value = self._given(name, required=default is None)
        harmless = next(iter(meanings)) if default is None else default
        if value is None:
            return meanings[harmless]
        if isinstance(value, bool) or not isinstance(value, int) or value not in meanings:
            return self._refused(name, either(tuple(meanings)), value, meanings[harmless])
        return meanings[value]

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._given(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        return self._refused(name, "true or false", value, default)

    def text(self, name: str, default: str | None = None, *, most: int = MOST_ID) -> str:
        """A text of at most so many bytes of UTF-8, without control characters; empty is as absent."""
        value = self._given(name, required=default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str):
            return self._refused(name, "a text", value, default or "")
        if not value and default is None:
            self.fault(name, "is empty")
        elif _NOT_TEXT.search(value):
            self.fault(name, "holds characters that are no text")
        elif len(value.encode()) > most:
            self.fault(name, f"at most {most} bytes, not {len(value.encode())}")
        else:
            return value or default or ""
        return default or ""

    def matching(self, name: str, form: re.Pattern[str], what: str, default: str = "") -> str:
        """A text of a form; ``what`` says which. It is not repeated."""
        value = self.text(name, default)
        if value and not form.fullmatch(value):
            self.fault(name, what)
            return default
        return value

    def word(self, name: str, words: tuple[str, ...], default: str) -> str:
        """One of some words."""
        value = self._given(name)
        if value is None or value in words:
            return default if value is None else str(value)
        return self._refused(name, either(words), value, default, word=True)

    def colour(self, name: str, default: str) -> str:
        """A colour as ``#RRGGBB``."""
        value = self._given(name)
        if value is None or value == "":
            return default
        if isinstance(value, str) and _COLOUR.fullmatch(value):
            return value
        return self._refused(name, "a colour such as #1a2b3c", value, default, word=True)

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        """A list of texts that are not empty; each counts once."""
        found = []
        for number, value in enumerate(self._listed(name, most)):
            if isinstance(value, str) and value and not _NOT_TEXT.search(value):
                found.append(value)
            else:
                self._refused(f"{name}[{number}]", "a text that is not empty", value, None)
        return tuple(dict.fromkeys(found))

    def words(self, name: str, words: tuple[str, ...]) -> tuple[str, ...]:
        """A list of some words."""
        found = []
        for number, value in enumerate(self._listed(name, MOST_LISTED)):
            if value in words:
                found.append(str(value))
            else:
                self._refused(f"{name}[{number}]", either(words), value, None, word=True)
        return tuple(found)

    def part(self, name: str) -> Fields:
        """An object, the same one each time; where there is none, one without fields."""
        if name not in self._parts:
            value = self._given(name)
            if value is not None and not isinstance(value, dict):
                self._refused(name, "an object", value, None)
            data = value if isinstance(value, dict) else {}
            self._parts[name] = Fields(data, f"{self.at(name)}.", self.told)
        return self._parts[name]

    def parts(self, name: str, most: int) -> list[Fields]:
        """A list of objects."""
        found = []
        for number, value in enumerate(self._listed(name, most)):
            where = f"{name}[{number}]"
            if isinstance(value, dict):
                found.append(Fields(value, f"{self.at(where)}.", self.told))
            else:
                self._refused(where, "an object", value, None)
        return found

    def tell_unread(self) -> None:
        """Tells the fields that nobody has read, with the nearest one that there is."""
        for name in [name for name in self._data if name not in self._read]:
            few = len(self.told.faults) < MOST_FAULTS  # nobody reads on, and looking takes its time
            near = _nearest(name, list(self._read)) if few else ""
            shown = name if _PLAIN.fullmatch(name) else ascii(name)[:MOST_NAME]
            self.fault(shown, f"no such field{near and f', did you mean {near}?'}")

    def _given(self, name: str, *, required: bool = False) -> Any:
        if not self.has(name) and required:
            self.fault(name, "is missing")
        return self._data.get(name)

    def _listed(self, name: str, most: int) -> list[Any]:
        value = self._given(name)
        if value is None:
            return []
        if not isinstance(value, list):
            return self._refused(name, "a list", value, [])
        if len(value) > most:
            self.fault(name, f"at most {most}, not {len(value)}")
        return value[:most]

    def _refused(self, name: str, expected: str, value: Any, harmless: T, *, word: bool = False) -> T:
        self.fault(name, f"{expected}, not {_shown(value, word=word)}")
        return harmless


def _shown(value: Any, *, word: bool) -> str:
    """A value for a sentence; a text only where a word was expected, and a short one."""
    kinds: tuple[tuple[Any, Callable[[], str]], ...] = (
        (bool, lambda: str(value).lower()),
        (int | Decimal, lambda: str(value)),
        (str, lambda: ascii(value) if word and len(value) <= MOST_SHOWN else "a text"),
        (list, lambda: "a list"),
    )
    return next((tell() for kind, tell in kinds if isinstance(value, kind)), "an object")


def _nearest(name: str, known: list[str]) -> str:
    """The known name most like another: one that begins with it, or whose letters are nearly the same."""
    folded = {each.casefold(): each for each in known}
    wanted = name.casefold()[:MOST_ID]
    alike = [each for each in folded if each.startswith(wanted) or wanted.startswith(each)]
    near = get_close_matches(wanted, list(folded), n=1, cutoff=0.6) or (alike if len(wanted) > 1 else [])
    return folded[near[0]] if near else ""
