"""Where a job may read and write that an event or a stranger's document makes: what the operator has listed.

Of stores these are parts of those that have a name; folders lie below one root.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.storage.address import MOST_KEY_BYTES, Folder, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.storage.address import StoreAddress

MOST_PREFIX = MOST_KEY_BYTES // 2
"""Bytes: names of files come behind it."""
MOST_SHOWN = 100
"""Characters of an address in a sentence."""
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that a reader would obey or not see."""


@dataclass(frozen=True, slots=True)
class Places:
    """What may be named.

    Attributes:
        table: that lists it, for sentences.
        stores: parts of named stores.
        root: the folder below which folders must lie; None where none may be named.
        absolute: paths of folders must be, for they are used as they are written.
    """

    table: str
    stores: tuple[StoreAddress, ...] = ()
    root: Path | None = None
    absolute: bool = False

    def checked(self, address: str) -> str:
        """An address that may be named, a folder's with an absolute path without links.

        Raises:
            CommandError: it is none, or may not be named.
        """
        read = parse_address(address, exists=lambda _: False)
        try:
            if isinstance(read, Folder):
                return str(self.below(read.path))
            self._check_store(read)
        except CommandError as error:
            raise CommandError(f"{address[:MOST_SHOWN]}: {error}") from None
        return address

    def _check_store(self, address: StoreAddress) -> None:
        if not address.store:
            raise CommandError(f"only stores that have a name in {self.table} may be named, as NAME:prefix")
        for fault in faults_of_prefix(address.prefix):
            raise CommandError(fault)
        inside = any(
            address.store == each.store and address.prefix.startswith(each.prefix) for each in self.stores
        )
        if not inside:
            raise CommandError(f"{self.table} does not list this part of a store here")

    def below(self, path: Path) -> Path:
        """A path below the root, without links; what is not there yet may be made there.

        Raises:
            CommandError: there is no root, or it is outside of it, wherever links lead.
        """
        if self.root is None:
            raise CommandError(f"{self.table} has no root, so that no folder may be named")
        if self.absolute and not path.is_absolute():
            raise CommandError(f"expected an absolute path below {self.root}")
        try:
            top = self.root.resolve(strict=True)
            found = (top / path).resolve()
        except (OSError, ValueError, RuntimeError):  # no root, or a ring of links
            raise CommandError("it cannot be looked for below the root") from None
        if not found.is_relative_to(top):
            raise CommandError(f"it lies outside the root that {self.table} has")
        return found


def faults_of_prefix(prefix: str) -> Iterator[str]:
    """Why a prefix could lead out of another one, or would be seen as something else than it is."""
    parts = prefix.removesuffix("/").split("/") if prefix else []
    if any(part in {"", ".", ".."} for part in parts):
        yield "a prefix has no empty part, '.' or '..'"
    if any(unicodedata.category(char) in _OBEYED for char in prefix):
        yield "a prefix has no characters that nobody sees"
    if len(prefix.encode("utf-8", "surrogatepass")) > MOST_PREFIX:
        yield f"a prefix has at most {MOST_PREFIX} bytes"
