"""What is told of a document: all its faults in one error, and notes of what it asks for in vain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import CommandError

if TYPE_CHECKING:
    from pipeline.vendors.fields import Fields

MOST_FAULTS = 50


@dataclass(slots=True)
class Told:
    """What is told of a document: its faults, and what of it means nothing here or is done otherwise."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    opened: list[Fields] = field(default_factory=list)

    def end(self, source: str, whose: str) -> None:
        """All fields were read.

        Args:
            source: where the document is from, for the sentence.
            whose: a vendor.

        Raises:
            CommandError: there are faults; fields that nobody has read are among them.
        """
        for part in self.opened:
            part.tell_unread()
        if self.faults:
            told = list(dict.fromkeys(self.faults))
            more = f"; and {len(told) - MOST_FAULTS} more" if len(told) > MOST_FAULTS else ""
            raise CommandError(
                f"{source} is no request to {whose} that can be followed: "
                f"{'; '.join(told[:MOST_FAULTS])}{more}."
            )
