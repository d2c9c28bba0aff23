"""Pictures that were taken, as lines: by user, because there are many."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.report.words import count, size, whose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.model.manifest import Manifest, Picture


def picture_rows(pictures: Sequence[Picture]) -> list[tuple[str, ...]]:
    """A row for each user's camera or screen: how many there are, in which sizes, how large, whose."""
    rows: list[tuple[str, ...]] = []
    for (uid, source), group in groupby(pictures, key=lambda picture: (picture.uid, picture.source)):
        all_of_it = list(group)
        sizes = dict.fromkeys(f"{p.width}x{p.height}" for p in all_of_it if not p.stills)
        whole = sum(picture.size for picture in all_of_it)
        verified = "decoded again" if all(p.checked for p in all_of_it) else "not decoded again"
        rows.append((_numbers(all_of_it), " ".join(sizes), size(whole), verified, f"{whose(uid)} {source}"))
    return rows


def files_of(manifest: Manifest) -> str:
    """How many good files there are, in words."""
    films = sum(output.verdict.good for output in manifest.outputs)
    if manifest.pictures and not films:
        return _numbers(manifest.pictures)
    return count(films + len(manifest.pictures), "file")


def _numbers(pictures: Sequence[Picture]) -> str:
    sheets = sum(picture.stills > 0 for picture in pictures)
    told = count(len(pictures) - sheets, "picture")
    return f"{told}, {count(sheets, 'sheet')}" if sheets else told
