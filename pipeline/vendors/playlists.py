"""What the playlists of all vendors share: bounds, lines, slice lengths, and which names a line may carry.

The text is reduced to lines the m3u8 library cannot stumble over (it raises bare errors on damaged numbers,
splits lines at odd characters and drops slices without EXTINF); the library pairs them, and a vendor's
`Dialect` reads its own tags. Nothing here opens what a line names.
Source: RFC 8216 (HTTP Live Streaming), sections 4.1 and 4.3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import PlaylistError, UnsafeUriError
from pipeline.model.stamps import utc_ms
from pipeline.vendors.base import BadNameError, Ignored, Kind, Name, Playlist, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 300_000
MAX_LINES = 6 * MAX_ENTRIES  # Agora writes up to five lines for a slice, TRTC three, and there is a header

_BEGIN = "#EXTM3U"
_END = "#EXT-X-ENDLIST"
_LENGTH = "#EXTINF:"
_BREAK = "#EXT-X-DISCONTINUITY"
_BYTE_ORDER_MARK = "\ufeff"
_SHOWN = 120  # characters of a foreign line that a message repeats

_HEADER = re.compile(rf"[{_BYTE_ORDER_MARK}\s]*{_BEGIN}(?=\s|$)")
_LINE = re.compile(r"[^\r\n]+")
_OTHER_LINE_ENDS = re.compile(
    "[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]"
)  # str.strip, str.splitlines react to them
_SECONDS = re.compile(r"\s*(?P<whole>\d{1,7})(?:\.(?P<part>\d*))?\s*(?:,.*)?", re.ASCII | re.DOTALL)
_MS = re.compile(r"\d{13}", re.ASCII)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_LEAVES_THE_FOLDER = re.compile(
    r".*[/\\\x00-\x1f\x7f-\x9f\u2028\u2029]"  # separators and control characters, ...
    r"|.*%(?:[01][0-9A-Fa-f]|2[Ff]|5[Cc]|7[Ff])"  # ... also percent-encoded
    r"|(?:\.|%2[Ee]){1,2}$"
    r"|[A-Za-z0-9+.\-]+(?:[:,]|%3[Aa]|%2[Cc])",  # a URL, FFmpeg's "concat:" and "subfile,,", a drive letter
    re.DOTALL,
)


class Notes:
    """What was odd: a sentence per kind, with the first example and the number of others."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, int]] = {}

    def add(self, sentence: str, example: str) -> None:
        """Note that ``sentence`` is true of the line or name ``example``."""
        first, count = self._found.get(sentence, (example, 0))
        self._found[sentence] = (first, count + 1)

    def sentences(self) -> tuple[str, ...]:
        """All notes in the order of their first example."""
        return tuple(
            f"{sentence}: {shown(first)}" + (f" and {count - 1} more" if count > 1 else "")
            for sentence, (first, count) in self._found.items()
        )


class Dialect(Protocol):
    """A vendor's tags; handed over in the order of the file, they are kept for the slices after them."""

    mark: str
    """How every tag of the vendor begins."""
    start_ms: int | None
    """UTC of the track's first media by a playlist tag."""
    user_id: str | None
    """The plain user id by a playlist tag."""

    def tag(self, name: str, value: str) -> None:
        """Take one tag, ``<mark><name>:<value>``; raises ValueError with what is odd when it is not used."""

    def segment(self, uri: str, duration_us: int | None, *, discontinuity: bool) -> Segment:
        """The slice ``uri`` with what the tags before it say."""

    def finish(self) -> None:
        """The file is over: note what the tags said of slices that did not come."""


def read(
    text: str, key: str, dialect: Dialect, notes: Notes, parse: Callable[[str], Name | Ignored]
) -> Playlist:
    """The playlist in ``text`` by the tags of ``dialect``.

    ``parse`` is the vendor's name parser: only it can tell a whole last line from half of one.
    A byte order mark, blank lines, CRLF, unknown tags, slices without EXTINF and a missing end are read over.
    Raises `PlaylistError` when the text is no playlist or over the bounds, `UnsafeUriError` for a line that
    is no bare file name; a percent-encoded name stays as it is written.
    """
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise PlaylistError(
            f"{key!r} has {size} bytes, more than the {MAX_BYTES} of a playlist: check the file"
        )
    header = _HEADER.match(text)
    if header is None:
        raise PlaylistError(f"{key!r} is no playlist, its first line is not {_BEGIN}: download it again")
    from m3u8 import parse as pair_lines  # a tenth of a second that other commands need not pay

    reader = _Reader(key, dialect, notes, parse)
    data = pair_lines("\n".join(reader.lines(text[header.end() :])), custom_tags_parser=reader.take)
    reader.collect(data)
    dialect.finish()
    return Playlist(
        segments=tuple(reader.segments),
        ended=data["is_endlist"],
        start_ms=dialect.start_ms,
        user_id=dialect.user_id,
        notes=notes.sentences(),
    )


class _Reader:
    """One playlist on its way through the m3u8 library."""

    def __init__(
        self, key: str, dialect: Dialect, notes: Notes, parse: Callable[[str], Name | Ignored]
    ) -> None:
        self.segments: list[Segment] = []
        self._key = key
        self._dialect = dialect
        self._notes = notes
        self._parse = parse

    def lines(self, text: str) -> Iterator[str]:
        """The lines that count, each name with an EXTINF right before it (empty if it had none)."""
        yield _BEGIN
        length = ""
        for line in self._whole_lines(_OTHER_LINE_ENDS.sub("\0", text)):
            if not line.startswith("#"):
                yield length or _LENGTH
                yield line
                length = ""
            elif line.startswith(_LENGTH):
                self._note_unused(length)
                length = line
            elif line in {_BREAK, _END} or line.startswith(self._dialect.mark):
                yield line
        self._note_unused(length)

    def _whole_lines(self, body: str) -> Iterator[str]:
        """The lines of ``body`` but blank ones: within the bounds, names safe, no half line at the end."""
        names = 0
        for number, match in enumerate(_LINE.finditer(body)):
            if number >= MAX_LINES:
                raise PlaylistError(f"{self._key!r} has more than {MAX_LINES} lines: check the file")
            line = match[0].strip().lstrip(_BYTE_ORDER_MARK).strip()
            if not line:
                continue
            is_name = not line.startswith("#")
            if is_name:
                names += 1
                if names > MAX_ENTRIES:
                    raise PlaylistError(f"{self._key!r} lists more than {MAX_ENTRIES} slices: check the file")
                refuse_unsafe(line, self._key)
            unended = match.end() == len(body)
            if unended and line != _END and not (is_name and self._is_slice(line)):
                self._notes.add("the last line is cut off and left out", line)
            else:
                yield line

    def take(self, line: str, _line_number: int, data: dict[str, Any], state: dict[str, Any]) -> bool:
        """The library's ``custom_tags_parser``: True when the line is done with."""
        self.collect(data)
        if line.startswith(_LENGTH):
            state.setdefault("segment", {})["duration"] = duration_us(line.removeprefix(_LENGTH))
            state["expect_segment"] = True
            return True
        if not line.startswith(self._dialect.mark):
            return False
        name, _, value = line.removeprefix(self._dialect.mark).partition(":")
        try:
            self._dialect.tag(name.strip(), value.strip())
        except ValueError as odd:
            self._notes.add(str(odd), line)
        return True

    def collect(self, data: dict[str, Any]) -> None:
        """Move the library's segments over at each tag: its own records are large, and tags are in order."""
        for found in data["segments"]:
            uri, length = found["uri"], found["duration"]
            if length is None:
                self._notes.add("a slice has no readable EXTINF, its length is unknown", uri)
            self.segments.append(self._dialect.segment(uri, length, discontinuity=found["discontinuity"]))
        data["segments"].clear()

    def _note_unused(self, length: str) -> None:
        if length:
            self._notes.add("an EXTINF has no slice name after it and is left out", length)

    def _is_slice(self, uri: str) -> bool:
        try:
            name = self._parse(_ESCAPED.sub(lambda byte: chr(int(byte[1], 16)), uri))
        except BadNameError:
            return False
        return not isinstance(name, Ignored) and name.kind is Kind.SLICE


def refuse_unsafe(uri: str, key: str) -> None:
    """Raise `UnsafeUriError` for a name in the playlist ``key`` that is no bare file name."""
    if _LEAVES_THE_FOLDER.match(uri):
        raise UnsafeUriError(
            f"{key!r} lists {shown(uri)}, expected a bare file name in the playlist's own folder: "
            "do not use this playlist unless you trust where it comes from and have corrected the line"
        )


def duration_us(value: str) -> int | None:
    """The length in an EXTINF value in microseconds; None when it is unreadable.

    The comma is optional: Agora and older TRTC recorders leave it out.

    >>> duration_us("10.0053,"), duration_us("15.019000"), duration_us("6"), duration_us("nan")
    (10005300, 15019000, 6000000, None)
    """
    found = _SECONDS.fullmatch(value)
    if found is None:
        return None
    tenths = f"{found['part'] or ''}0000000"[:7]
    return int(found["whole"]) * 1_000_000 + (int(tenths) + 5) // 10


def at_ms(value: str) -> int:
    """UTC milliseconds of a tag's time, a 17-digit stamp or 13 digits of Unix time; raises ValueError.

    Agora documents both for ``TIME``.

    >>> at_ms("20190920125142289"), at_ms("1568597779021")
    (1568983902289, 1568597779021)
    """
    if _MS.fullmatch(value):
        return int(value)
    time_ms = utc_ms(value)
    if time_ms is None:
        raise ValueError("a tag has an unreadable time")
    return time_ms


def shown(text: str) -> str:
    """Foreign text for a message: quoted, escaped, and cut to a length that a line can bear."""
    if len(text) <= _SHOWN and text.isprintable():
        return repr(text)
    most = _SHOWN if text[:_SHOWN].isprintable() else _SHOWN // 4  # of garbage a few bytes tell enough
    return repr(text) if len(text) <= most else f"{text[:most]!r}... ({len(text)} characters)"
