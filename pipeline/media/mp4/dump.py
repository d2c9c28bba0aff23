"""The boxes of an MP4 as text, for people and for tests that compare two files line by line.

A row a box, indented; long tables are given as they are stored, in run lengths, and cut short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.mp4.box import Box, Fields, box_header, boxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_LOADED_BYTES = 512 << 20
_MOST_TOP_BOXES = 1000
_MOST_DEPTH = 16
_MOST_ROWS = 64

_CONTAINERS = {"moov": 0, "trak": 0, "edts": 0, "mdia": 0, "minf": 0, "dinf": 0, "stbl": 0, "udta": 0} | {
    "ilst": 0,
    "\xa9nam": 0,
    "meta": 4,
    "dref": 8,
    "stsd": 8,
    "avc1": 78,
    "hvc1": 78,
    "mp4a": 28,
    "Opus": 28,
}
"""Bytes of fields before the boxes inside (ISO/IEC 14496-12 8, 14496-14 5.6, 14496-15 5.4)."""


def dump(file: BinaryIO) -> str:
    """The box tree with type, size and the fields that matter; ``ValueError`` where a box is impossible."""
    return "".join(f"{line}\n" for line in _file(file))


def _file(file: BinaryIO) -> Iterator[str]:
    size = file.seek(0, 2)
    at = count = 0
    while at < size:
        count += 1
        if count > _MOST_TOP_BOXES:
            raise ValueError(f"the file has more than {_MOST_TOP_BOXES} boxes side by side")
        file.seek(at)
        header = box_header(file.read(min(16, size - at)))
        length = size - at if header.size is None else header.size
        if length > size - at:
            raise ValueError(f"{header.kind}: it is {length} bytes long where {size - at} are left")
        if header.kind in {"mdat", "free", "skip"} or length > _MOST_LOADED_BYTES:
            yield f"{header.kind} {length} (header {header.length})"
        else:
            file.seek(at)
            for box in boxes(memoryview(file.read(length))):
                yield from _lines(box, 0)
        at += length


def _lines(box: Box, depth: int) -> Iterator[str]:
    if depth > _MOST_DEPTH:
        raise ValueError(f"{box.path}: boxes are nested deeper than {_MOST_DEPTH}")
    told = _FIELDS.get(box.kind)
    text = "" if told is None else " " + told(box.fields())
    yield f"{'  ' * depth}{box.kind} {len(box.whole)}{text.rstrip()}"
    if box.kind in _CONTAINERS:
        for child in box.children(skip=_CONTAINERS[box.kind]):
            yield from _lines(child, depth + 1)


def _version(fields: Fields) -> tuple[int, str]:
    """Bytes of a time, and version with flags as text."""
    version, flags = fields.unsigned(1), fields.unsigned(3)
    return 8 if version == 1 else 4, f"v{version} flags {flags:x}"


def _times(fields: Fields) -> tuple[int, str]:
    width, text = _version(fields)
    return width, f"{text} created {fields.unsigned(width)} modified {fields.unsigned(width)}"


def _ftyp(fields: Fields) -> str:
    major, minor = _ascii(fields, 4), fields.unsigned(4)
    return f"{major} {minor}: {' '.join(_ascii(fields, 4) for _ in range(fields.left // 4))}"


def _ascii(fields: Fields, size: int) -> str:
    return bytes(fields.take(size)).decode("latin-1")


def _hex(fields: Fields) -> str:
    return fields.take(fields.left).hex()


def _mvhd(fields: Fields) -> str:
    width, text = _times(fields)
    timescale, duration = fields.unsigned(4), fields.unsigned(width)
    fields.take(fields.left - 4)
    return f"{text} timescale {timescale} duration {duration} next track {fields.unsigned(4)}"


def _tkhd(fields: Fields) -> str:
    width, text = _times(fields)
    number, _ = fields.unsigned(4), fields.take(4)
    duration, _ = fields.unsigned(width), fields.take(8)
    layer, group, volume, _ = fields.signed(2), fields.signed(2), fields.unsigned(2), fields.take(2)
    matrix = " ".join(f"{fields.signed(4):x}" for _ in range(9))
    size = f"{fields.unsigned(4) / 65536:g}x{fields.unsigned(4) / 65536:g}"
    where = f"track {number} duration {duration} layer {layer} group {group} volume {volume:x}"
    return f"{text} {where} matrix [{matrix}] size {size}"


def _mdhd(fields: Fields) -> str:
    width, text = _times(fields)
    timescale, duration = fields.unsigned(4), fields.unsigned(width)
    return f"{text} timescale {timescale} duration {duration} language {fields.unsigned(2):x}"


def _hdlr(fields: Fields) -> str:
    _, text = _version(fields)
    fields.take(4)
    handler, _ = _ascii(fields, 4), fields.take(12)
    return f"{text} {handler} {fields.text()!r}"


def _elst(fields: Fields) -> str:
    width, text = _version(fields)
    return f"{text} {_rows(fields, lambda: _edit(fields, width))}"


def _edit(fields: Fields, width: int) -> str:
    return f"{fields.unsigned(width)}@{fields.signed(width)}*{fields.signed(2)}.{fields.signed(2)}"


def _rows(fields: Fields, row: Callable[[], str]) -> str:
    """A count and its rows, the first ones of them."""
    count = fields.unsigned(4)
    shown = [row() for _ in range(min(count, _MOST_ROWS))]
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return f"({count}) {' '.join(shown)}{more}"


def _runs(fields: Fields) -> str:
    _, text = _version(fields)
    return f"{text} {_rows(fields, lambda: f'{fields.unsigned(4)}*{fields.unsigned(4)}')}"


def _stsc(fields: Fields) -> str:
    _, text = _version(fields)
    return (
        f"{text} {_rows(fields, lambda: f'{fields.unsigned(4)}:{fields.unsigned(4)}/{fields.unsigned(4)}')}"
    )


def _numbers(width: int) -> Callable[[Fields], str]:
    def told(fields: Fields) -> str:
        _, text = _version(fields)
        return f"{text} {_rows(fields, lambda: str(fields.unsigned(width)))}"

    return told


def _stsz(fields: Fields) -> str:
    _, text = _version(fields)
    constant = fields.unsigned(4)
    if constant:
        return f"{text} {constant} each ({fields.unsigned(4)})"
    return f"{text} {_rows(fields, lambda: str(fields.unsigned(4)))}"


def _picture_entry(fields: Fields) -> str:
    fields.take(24)
    return f"{fields.unsigned(2)}x{fields.unsigned(2)}"


def _sound_entry(fields: Fields) -> str:
    fields.take(16)
    channels, bits, _, rate = fields.unsigned(2), fields.unsigned(2), fields.take(4), fields.unsigned(4)
    return f"{channels} channels {bits} bits {rate / 65536:g} Hz"


def _group(fields: Fields) -> str:
    _, text = _version(fields)
    return f"{text} {_ascii(fields, 4)} {_hex(fields)}"


def _pasp(fields: Fields) -> str:
    return f"{fields.unsigned(4)}:{fields.unsigned(4)}"


def _data(fields: Fields) -> str:
    return f"type {fields.unsigned(4)} locale {fields.unsigned(4)} {fields.text()!r}"


_FIELDS: dict[str, Callable[[Fields], str]] = {
    "ftyp": _ftyp,
    "mvhd": _mvhd,
    "tkhd": _tkhd,
    "mdhd": _mdhd,
    "hdlr": _hdlr,
    "elst": _elst,
    "stts": _runs,
    "ctts": _runs,
    "stsc": _stsc,
    "stss": _numbers(4),
    "stco": _numbers(4),
    "co64": _numbers(8),
    "stsz": _stsz,
    "avc1": _picture_entry,
    "hvc1": _picture_entry,
    "mp4a": _sound_entry,
    "Opus": _sound_entry,
    "sgpd": _group,
    "sbgp": _group,
    "pasp": _pasp,
    "data": _data,
} | dict.fromkeys(("avcC", "hvcC", "esds", "dOps", "colr", "btrt", "vmhd", "smhd", "url "), _hex)
