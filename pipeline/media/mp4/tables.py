"""The sample tables of a track (``stbl``, ISO/IEC 14496-12 8.5 to 8.7), expanded to one value a sample.

Counts are believed only when the bytes for them are there, or when another table agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.media.mp4.box import Box

MOST_SAMPLES = 1 << 24
"""Samples of a whole file that are expanded: a day of sound at 48 kHz and of pictures at 120 a second."""

_U32_SIGN = 1 << 31


@dataclass(frozen=True, slots=True, eq=False)
class SampleTable:
    """One value a sample, times in the media timescale, and the chunks that hold the samples."""

    sample_entry: bytes
    dts: NDArray[np.int64]
    durations: NDArray[np.int64]
    cts: NDArray[np.int64]
    sync: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    offsets: NDArray[np.int64]
    chunk_offsets: NDArray[np.int64]
    chunk_counts: NDArray[np.int64]


def sample_table(stbl: Box, room: int) -> SampleTable:
    """Reads a ``stbl`` of at most ``room`` samples; ``ValueError`` where its tables disagree."""
    sizes = _sizes(stbl.child("stsz"), room)
    count = len(sizes)
    durations = _times(stbl.child("stts"), count)
    chunk_offsets = _chunk_offsets(stbl)
    chunk_counts = _chunk_counts(stbl.child("stsc"), len(chunk_offsets), count)
    return SampleTable(
        sample_entry=_sample_entry(stbl.child("stsd")),
        dts=np.cumsum(durations) - durations,
        durations=durations,
        cts=_composition(stbl.optional("ctts"), count),
        sync=_sync(stbl.optional("stss"), count),
        sizes=sizes,
        offsets=_offsets(chunk_offsets, chunk_counts, sizes),
        chunk_offsets=chunk_offsets,
        chunk_counts=chunk_counts,
    )


def _sample_entry(stsd: Box) -> bytes:
    fields = stsd.fields()
    fields.version(0, 1)
    count = fields.unsigned(4)
    entries = stsd.children(skip=8)
    if count != 1 or len(entries) != 1:
        raise ValueError(f"{stsd.path}: {count} sample entries announced, {len(entries)} there, one expected")
    return bytes(entries[0].whole)


def _sizes(stsz: Box, room: int) -> NDArray[np.int64]:
    fields = stsz.fields()
    fields.version(0)
    size, count = fields.unsigned(4), fields.unsigned(4)
    if count > room:
        raise ValueError(f"{stsz.path}: {count} samples are more than the {room} that are read of a file")
    return np.full(count, size, dtype=np.int64) if size else fields.rows(count)[0]


def _expand(box: Box, runs: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Run lengths become one value a sample, after they have been seen to fit."""
    total = int(runs.sum())
    if total != count:
        raise ValueError(f"{box.path}: its runs cover {total} samples where the track has {count}")
    expanded: NDArray[np.int64] = np.repeat(values, runs)
    return expanded


def _times(stts: Box, count: int) -> NDArray[np.int64]:
    fields = stts.fields()
    fields.version(0)
    runs, values = fields.table(2)
    return _expand(stts, runs, values, count)


def _composition(ctts: Box | None, count: int) -> NDArray[np.int64]:
    if ctts is None:
        return np.zeros(count, dtype=np.int64)
    fields = ctts.fields()
    version, _ = fields.version(0, 1)
    runs, values = fields.table(2)
    if version:
        values = np.where(values >= _U32_SIGN, values - 2 * _U32_SIGN, values)
    return _expand(ctts, runs, values, count)


def _sync(stss: Box | None, count: int) -> NDArray[np.bool_]:
    if stss is None:
        return np.ones(count, dtype=np.bool_)
    fields = stss.fields()
    fields.version(0)
    (numbers,) = fields.table()
    if len(numbers) and not (numbers[0] >= 1 and numbers[-1] <= count and (np.diff(numbers) > 0).all()):
        raise ValueError(f"{stss.path}: sync samples do not rise from 1 to {count}")
    sync = np.zeros(count, dtype=np.bool_)
    sync[numbers - 1] = True
    return sync


def _chunk_offsets(stbl: Box) -> NDArray[np.int64]:
    tables = [box for box in stbl.children() if box.kind in {"stco", "co64"}]
    if len(tables) != 1:
        raise ValueError(f"{stbl.path}: {len(tables)} of stco and co64 are there, one is expected")
    fields = tables[0].fields()
    fields.version(0)
    values: NDArray[np.int64] = fields.table(width=4 if tables[0].kind == "stco" else 8)[0]
    if (values < 0).any():
        raise ValueError(f"{tables[0].path}: a chunk lies beyond 2**63 bytes")
    return values


def _chunk_counts(stsc: Box, chunks: int, samples: int) -> NDArray[np.int64]:
    fields = stsc.fields()
    fields.version(0)
    firsts, counts, entries = fields.table(3)
    if not len(firsts) and not chunks and not samples:
        return np.zeros(0, dtype=np.int64)
    ends = np.append(firsts[1:], chunks + 1)
    if not len(firsts) or firsts[0] != 1 or (ends <= firsts).any():
        raise ValueError(f"{stsc.path}: its runs of chunks do not rise from 1 to {chunks}")
    if (counts == 0).any() or (entries != 1).any():
        raise ValueError(f"{stsc.path}: a chunk holds samples, of the one sample entry there is")
    total = int((counts * (ends - firsts)).sum())
    if total != samples:
        raise ValueError(f"{stsc.path}: its chunks hold {total} samples where the track has {samples}")
    expanded: NDArray[np.int64] = np.repeat(counts, ends - firsts)
    return expanded


def _offsets(
    chunk_offsets: NDArray[np.int64], chunk_counts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where each sample begins: its chunk's offset and the sizes before it in the chunk."""
    before = np.cumsum(sizes) - sizes
    firsts = np.cumsum(chunk_counts) - chunk_counts
    offsets: NDArray[np.int64] = before + np.repeat(chunk_offsets - before[firsts], chunk_counts)
    return offsets
