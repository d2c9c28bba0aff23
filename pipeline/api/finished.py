"""Finished files, looked at again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.api.here import place
from pipeline.model.options import Verify

if TYPE_CHECKING:
    import os

    from pipeline.model.verification import Verification
    from pipeline.steps.recheck_stored import Beside


def verify(
    path: str | os.PathLike[str], level: Verify = Verify.FULL, *, config: str | None = None
) -> Verification:
    """Check finished files again where they lie: that they are there, their bytes, all that `merge` checks.

    Args:
        path: a folder or a prefix of a store with a ``manifest.json``, a folder of such folders, or one file
            beside its manifest.
        level: ``FULL`` reads every byte and decodes both ends and every join. ``FAST`` decodes nothing; of
            what is in a store it compares size and ETag, and reads the tables of MP4s.
        config: as for `inspect`.

    Raises:
        CommandError: there is no manifest, or it does not name the file asked for.
        StorageError: the store refuses, or does not answer in time.
        NoSpaceError: a file in a store has to be fetched and has no room on this machine.
    """
    where = place(path, config)
    if isinstance(where, Path):
        from pipeline.steps.recheck import recheck  # no other call needs it

        return recheck(where, level)
    from pipeline.steps.recheck_stored import recheck_stored

    return recheck_stored(where, level, _beside(str(path), config))


def _beside(address: str, config: str | None) -> Beside | None:
    """An address of a store read as one of a file."""
    from pipeline.steps.recheck_stored import Beside
    from pipeline.storage.address import of_file

    found = of_file(address)
    if found is None:
        return None
    where = place(found.folder, config)
    return None if isinstance(where, Path) else Beside(where, found.file)
