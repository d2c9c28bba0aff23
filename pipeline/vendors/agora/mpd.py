"""Agora's MPD of web senders: slices of WebM, rotations and returns, as its own converter reads them.

No sample of the whole text is published. What is known is what the converter looks for: elements name the
track that is meant by ``video`` or ``audio``; a slice is in an attribute ``media``; a rotation has ``width``,
``height``, ``rotate`` and ``time``; an ``ExtDiscontinuity`` with ``time`` says that the track begins or comes
back. Only tags and attributes are read, none of what XML can refer to, and nothing that a line names is
opened.
Source: https://docs.agora.io/en/realtime-media/cloud-recording/develop/merge-files (the converter's code)
"""

from __future__ import annotations

import re
from html import unescape

from pipeline.errors import PlaylistError
from pipeline.vendors import playlists
from pipeline.vendors.agora.names import parse
from pipeline.vendors.agora.playlists import AgoraDialect
from pipeline.vendors.base import BadNameError, Ignored, Playlist, Segment

_BEGIN = re.compile(r"<\s*MPD[\s>]")
_END = re.compile(r"</\s*MPD\s*>")
_TAG = re.compile(
    r"<(?P<name>[A-Za-z][\w:.-]*)(?P<attributes>(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)"
)
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TRACKS = re.compile(r"\b(video|audio)\b")


def read_mpd(text: str, key: str) -> Playlist:
    """The MPD in ``text``; ``key`` is for messages. It tells no lengths.

    Raises:
        PlaylistError: it is no MPD, or over the bounds of a playlist.
        UnsafeUriError: it names a slice by anything but a bare file name.
    """
    if len(text.encode("utf-8", "surrogatepass")) > playlists.MAX_BYTES:
        raise PlaylistError(
            f"{key!r} has more than the {playlists.MAX_BYTES} bytes of a playlist: check the file"
        )
    begun = _BEGIN.search(text)
    if begun is None:
        raise PlaylistError(f"{key!r} is no MPD, it has no <MPD> element: download it again")
    notes = playlists.Notes()
    dialect = AgoraDialect(notes)
    segments: list[Segment] = []
    track = ""
    for found in _TAG.finditer(text, begun.start()):
        fields = {name.lower(): unescape(a or b) for name, a, b in _ATTRIBUTE.findall(found["attributes"])}
        uri = fields.get("media", "")
        if not uri and (named := _TRACKS.search(found[0].lower())):
            track = named[1].upper()
        try:
            _tag(dialect, found["name"], track, fields)
        except ValueError as odd:
            notes.add(str(odd), found[0])
        if not uri or not _is_slice(uri, key):
            continue
        segments.append(dialect.segment(uri, None, discontinuity=False))
        if len(segments) > playlists.MAX_ENTRIES:
            raise PlaylistError(f"{key!r} lists more than {playlists.MAX_ENTRIES} slices: check the file")
    dialect.finish()
    return Playlist(tuple(segments), ended=_END.search(text) is not None, notes=notes.sentences())


def _tag(dialect: AgoraDialect, name: str, track: str, fields: dict[str, str]) -> None:
    """What a playlist would say in a tag of its own; raises ValueError with what is odd."""
    time = fields.get("time", "")
    if name.lower() == "extdiscontinuity":
        dialect.tag("TRACK-EVENT", f"EVENT=START,TRACK_TYPE={track},TIME={time}")
    elif "rotate" in fields:
        size = f"WIDTH={fields.get('width', '')},HEIGHT={fields.get('height', '')}"
        dialect.tag("ROTATE", f"{size},ROTATE={fields['rotate']},TIME={time}")


def _is_slice(uri: str, key: str) -> bool:
    """Whether an attribute names a slice, not a template such as ``$Number$.webm``."""
    playlists.refuse_unsafe(uri, key)
    try:
        return not isinstance(parse(uri), Ignored)
    except BadNameError:
        return False
