"""What is known of a layout and from where: each number of a template carries its source.

Whether a scene is `approximate` follows from the marks of the numbers that it was made of; nobody sets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_QUOTIENT = 25


class Mark(StrEnum):
    """How well something is known."""

    DOC = "doc"  # a vendor's page says it
    INFERRED = "inferred"  # concluded from pictures, samples or another vendor
    OURS = "ours"  # our own choice, so nothing could be truer


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A number or a rule of a layout.

    Attributes:
        what: what it is of, such as ``cell width``.
        value: itself.
        mark: how well it is known.
        source: the page that says it, or what it was concluded from.
    """

    what: str
    value: T
    mark: Mark
    source: str

    def __str__(self) -> str:
        return f"{self.what} {self.text} ({self.mark})"

    @property
    def text(self) -> str:
        """The value for people: small quotients as such, others in decimals.

        >>> ours("", Fraction(1, 9), "").text, ours("", Fraction(235, 1000), "").text
        ('1/9', '0.235')
        """
        if isinstance(self.value, Fraction) and self.value.denominator > MOST_QUOTIENT:
            return f"{float(self.value):g}"
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Page:
    """Where the numbers of a table stand; ``address`` is a public page."""

    title: str
    address: str

    def __str__(self) -> str:
        return f"{self.title}, {self.address}"

    def doc(self, what: str, value: T) -> Known[T]:
        """Something that the page says."""
        return Known(what, value, Mark.DOC, str(self))

    def inferred(self, what: str, value: T, why: str) -> Known[T]:
        """Something that the page does not say in words or numbers; ``why`` is what it was concluded from."""
        return Known(what, value, Mark.INFERRED, f"{why}; {self}")


def ours(what: str, value: T, why: str) -> Known[T]:
    """Our own choice, and its reason."""
    return Known(what, value, Mark.OURS, why)
