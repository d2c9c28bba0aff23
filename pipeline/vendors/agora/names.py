"""Agora cloud recording: object keys to values and back.

Only the grammar of names lives here; what a playlist says is in `pipeline.vendors.agora.playlists`.
Source: https://docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.model.stamps import stamp17, utc_ms
from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from pipeline.vendors.keys import join_key, split_key
from pipeline.vendors.outputs import OUTPUT, is_output

USER_BEGINS = "__uid_s_"
USER_ENDS = "__uid_e_"

_KINDS = {
    "m3u8": Kind.INDEX,
    "mpd": Kind.INDEX,
    "ts": Kind.SLICE,
    "webm": Kind.SLICE,
    "jpg": Kind.SNAPSHOT,
    "mp4": Kind.FINISHED,
    "m4a": Kind.FINISHED,
    "mp3": Kind.FINISHED,
    "aac": Kind.FINISHED,
}
_STAMPED = {Kind.SLICE, Kind.SNAPSHOT}
_SOUND_ONLY = {"m4a", "mp3", "aac"}

# The channel name is anything printable: it may contain "_", so names are cut at markers and from the right.
# The possessive "?+" keeps "bak0_sid.m3u8" from being read as a recording "bak0" of channel "sid".
_HEAD_PATTERN = r"(?:bak(?P<bak>\d{1,9})_)?+(?P<sid>[0-9A-Za-z]+)_(?P<cname>[^\x00-\x1f\x7f]+?)"
_HEAD = re.compile(_HEAD_PATTERN, re.ASCII)
_TRACK = re.compile(
    r"(?P<track>audio|video|av)"
    r"(?:_(?P<tick>\d{1,18})_(?P<version>\d{1,9})(?=\.(?:m3u8|mpd))|_(?P<utc>\d{17})(?=\.(?:ts|webm|jpg)))?"
    r"\.(?P<ext>m3u8|mpd|ts|webm|jpg)",
    re.ASCII,
)
_TRANSCODED = re.compile(r"(?P<index>\d{1,6})\.(?P<ext>mp4)", re.ASCII)
_COMPOSITE = re.compile(
    _HEAD_PATTERN + r"(?:_(?P<tick>\d{9,18})_(?P<version>0|[1-9]\d{0,8})(?=\.m3u8)"
    r"|_(?P<utc>\d{17})(?=\.ts)"
    r"|_(?P<index>\d{1,6})(?=\.(?:mp4|m4a|mp3|aac)))?"
    r"\.(?P<ext>m3u8|ts|mp4|m4a|mp3|aac)",
    re.ASCII,
)
_CONVERTER_INDEX = ("999999", 999)  # tick and version that Agora's converter gives the indexes it writes


@dataclass(frozen=True, slots=True)
class AgoraName:
    """The name of one object of an Agora cloud recording; made by `parse`.

    Attributes:
        prefix: everything before the last ``/`` of the key; empty at top level.
        sid: recording id, letters and digits.
        cname: channel name; may contain ``_``.
        kind: what the object is.
        content: what media it holds.
        extension: lower-case, without the dot.
        uid: user id; None for composite and web recordings.
        stamp_ms: UTC milliseconds of the start of a slice or of a screenshot; None for other kinds.
        failover: ``<n>`` of ``bak<n>_``; None for the first recorder.
        tick: digits before the version, kept as text; None for the plain playlist.
        version: index of a re-uploaded playlist, larger is newer; None for the plain one.
        index: number of a finished file, from 0; None for other kinds.
    """

    prefix: str
    sid: str
    cname: str
    kind: Kind
    content: Content
    extension: str
    uid: str | None = None
    stamp_ms: int | None = None
    failover: int | None = None
    tick: str | None = None
    version: int | None = None
    index: int | None = None

    @property
    def vendor(self) -> str:
        """Always ``agora``."""
        return "agora"

    @property
    def recording(self) -> str:
        """``<sid>_<cname>``: without the fail-over prefix, so that files of all recorders join."""
        return f"{self.sid}_{self.cname}"

    @property
    def source(self) -> Source:
        """Always the camera: Agora shares a screen under a user id of its own."""
        return Source.CAMERA

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: user ids stand in the name as they are."""
        return ()

    def __str__(self) -> str:
        """The key, exactly as it was parsed."""
        failover = "" if self.failover is None else f"bak{self.failover}_"
        body = f"{failover}{self.recording}"
        number = "" if self.index is None else f"_{self.index}"
        if self.uid is not None:
            track = self.content.value if self.index is None else ""
            body += f"{USER_BEGINS}{self.uid}{USER_ENDS}{track}"
            number = number.removeprefix("_")
        version = "" if self.version is None else f"_{self.tick}_{self.version}"
        stamp = "" if self.stamp_ms is None else f"_{stamp17(self.stamp_ms)}"
        return join_key(self.prefix, f"{body}{version}{stamp}{number}.{self.extension}")


def parse(key: str) -> AgoraName | Ignored:
    """The name behind ``key``, or why it is no input; raises `BadNameError`. ``str(parse(key)) == key``.

    The results of Agora's merge scripts are `Ignored`.
    """
    prefix, bare = split_key(key)
    if is_output(bare):
        return Ignored(key, OUTPUT)
    name = _user_name(key, prefix, bare) if USER_BEGINS in bare else _composite_name(key, prefix, bare)
    if str(name) != key:
        raise BadNameError(key, "expected numbers as the recorder writes them, without leading zeros")
    if (name.tick, name.version) == _CONVERTER_INDEX:
        return Ignored(key, "an index written by Agora's own converter, not by the recorder")
    return name


def _user_name(key: str, prefix: str, bare: str) -> AgoraName:
    """Read ``<head>__uid_s_<uid>__uid_e_<track>``; the last marker wins, a channel name may hold one too."""
    head, _, rest = bare.rpartition(USER_BEGINS)
    uid, marker, track = rest.rpartition(USER_ENDS)
    if not marker:
        raise BadNameError(key, f"expected {USER_ENDS} after the user id")
    if not uid or not uid.isprintable():
        raise BadNameError(key, f"expected a printable user id between {USER_BEGINS} and {USER_ENDS}")
    owner = _HEAD.fullmatch(head)
    if owner is None:
        raise BadNameError(key, f"expected <sid>_<channel name> before {USER_BEGINS}")
    found = _TRACK.fullmatch(track) or _TRANSCODED.fullmatch(track)
    if found is None:
        raise BadNameError(key, _what_a_track_looks_like(track))
    fields = found.groupdict()
    content = Content(fields.pop("track", Content.BOTH))
    if fields["ext"] == "jpg" and content is not Content.VIDEO:
        raise BadNameError(key, f"expected a screenshot to be of video, found {content.value}")
    return _name(key, prefix, content, uid=uid, **{**owner.groupdict(), **fields})


def _composite_name(key: str, prefix: str, bare: str) -> AgoraName:
    """Read ``<sid>_<cname>`` with what follows it in composite and web recordings."""
    found = _COMPOSITE.fullmatch(bare)
    if found is None:
        raise BadNameError(key, _what_a_composite_looks_like(bare))
    fields = found.groupdict()
    if _KINDS[fields["ext"]] is Kind.FINISHED and fields["index"] is None:
        raise BadNameError(key, f"expected an index of 1 to 6 digits before .{fields['ext']}")
    content = Content.AUDIO if fields["ext"] in _SOUND_ONLY else Content.BOTH
    return _name(key, prefix, content, **fields)


def _name(
    key: str,
    prefix: str,
    content: Content,
    *,
    sid: str,
    cname: str,
    ext: str,
    bak: str | None = None,
    uid: str | None = None,
    utc: str | None = None,
    tick: str | None = None,
    version: str | None = None,
    index: str | None = None,
) -> AgoraName:
    """The value behind the groups of a pattern; raises `BadNameError` when the stamp is no date."""
    stamp_ms = None if utc is None else utc_ms(utc)
    if stamp_ms is None and _KINDS[ext] in _STAMPED:
        raise BadNameError(key, f"expected a real date as 17-digit UTC stamp before .{ext}")
    return AgoraName(
        prefix=prefix,
        sid=sid,
        cname=cname,
        kind=_KINDS[ext],
        content=content,
        extension=ext,
        uid=uid,
        stamp_ms=stamp_ms,
        failover=None if bak is None else int(bak),
        tick=tick,
        version=None if version is None else int(version),
        index=None if index is None else int(index),
    )


def _what_a_track_looks_like(track: str) -> str:
    """The expectation that the text after ``__uid_e_`` fails."""
    stem, _, extension = track.rpartition(".")
    if stem.endswith("_utc"):
        return "expected a 17-digit UTC stamp, found the documentation's placeholder utc"
    if extension in {"ts", "webm", "jpg"}:
        return f"expected audio, video or av and a 17-digit UTC stamp before .{extension}"
    if extension in {"m3u8", "mpd"}:
        return f"expected audio, video or av, and at most _<tick>_<version>, before .{extension}"
    return f"expected a playlist, slice, screenshot or MP4 after {USER_ENDS}"


def _what_a_composite_looks_like(bare: str) -> str:
    """The expectation that a name without user markers fails."""
    extension = bare.rpartition(".")[2]
    if extension not in _KINDS or extension in {"mpd", "webm", "jpg"}:
        return "expected .m3u8, .ts, .mp4, .m4a, .mp3 or .aac"
    return f"expected <sid>_<channel name> before .{extension}"
