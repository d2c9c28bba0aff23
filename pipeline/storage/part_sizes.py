"""How large the parts of an object are that leaves before its size is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.storage.profile import GIB, MIB
from pipeline.storage.protocol import MOST_PARTS

if TYPE_CHECKING:
    from pipeline.storage.profile import Parts


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many bytes each part holds, decided by its number alone.

    `within` reaches 5.5 TB with 10,000 parts, over the 5 TB that an object may have (Amazon S3 user guide,
    "Amazon S3 multipart upload limits"), and the parts of 10 GB are of 20 MB at most; with 1,000 parts, which
    have to grow faster, it reaches 61 GiB.

    Attributes:
        held: the first bytes of the media, which wait to go with the head as part 1.
        first: part 2.
        step: by which each part is larger than the one before.
        bend: by how much more each is, by the square of its number.
        largest: part.
        most: parts.
    """

    held: int = 5 * MIB
    first: int = 8 * MIB
    step: int = MIB * 7 // 64
    bend: int = 0
    largest: int = 5 * GIB
    most: int = MOST_PARTS

    @classmethod
    def within(cls, rules: Parts) -> Sizes:
        """For a store with these rules.

        Raises:
            ValueError: its parts must all have one size, which the head cannot promise.
        """
        if rules.equal:
            raise ValueError("a store that wants equal parts takes finished files only")
        usual, least = cls(), rules.smallest
        held, first = max(usual.held, least), max(usual.first, least)
        step, bend = (0, 18) if rules.most >= MOST_PARTS else (usual.step, 0)
        return cls(held, first, step, bend, largest=rules.largest, most=rules.most)

    def of(self, number: int) -> int:
        """Bytes of the media that a part holds; the last may hold fewer."""
        later = number - 2
        grown = self.first + self.step * later + self.bend * later * later
        return self.held if number == 1 else min(self.largest, grown)
