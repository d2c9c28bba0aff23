"""Tencent TRTC cloud recording: object keys to values and back.

Only the grammar of names lives here; what a playlist says is in `pipeline.vendors.trtc.playlists`.
Sources: https://trtc.io/document/45169 (double underscores) and
https://cloud.tencent.com/document/product/647/76497 (single ones).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from pipeline.model.stamps import DIGITS, stamp17, utc_ms
from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from pipeline.vendors.keys import join_key, split_key

USER_BEGINS = "UserId_s_"
USER_ENDS = "UserId_e_"
RECORD_ID_ENDS = "__UserDefine_u_"
TEMPORARY = ".part"

_KINDS = {"m3u8": Kind.INDEX, "ts": Kind.SLICE, "mp4": Kind.FINISHED, "aac": Kind.FINISHED}
_TYPES = {"audio": Content.AUDIO, "video": Content.VIDEO, "audiovideo": Content.BOTH}
_TYPE_NAMES = {content: name for name, content in _TYPES.items()}
_SOURCES = {"main": Source.CAMERA, "aux": Source.SCREEN}
_MEDIA_IDS = {source: media for media, source in _SOURCES.items()}

_MAX_INDEX_DIGITS = 6
_MAX_ROOM_DIGITS = 10
_BASE64_GROUP = 4
_NAME = re.compile(
    rf"(?:(?P<record_id>[A-Za-z0-9_-]{{1,64}}?){RECORD_ID_ENDS})?"
    r"(?:ha(?P<failover>[1-3])_)?"
    r"(?P<sdk_app_id>\d{1,20})_(?P<room>[A-Za-z0-9+.\-]+?)"
    rf"(?:(?P<separator>_{{1,2}}){USER_BEGINS}(?P<user>[A-Za-z0-9+.\-]+)(?P=separator){USER_ENDS}"
    r"(?P<media>main|aux)(?:_(?P<type>audiovideo|audio|video))?)?"
    r"(?:_(?P<tail>\d{1,20}))?\.(?P<extension>m3u8|ts|mp4|aac)",
    re.ASCII,
)
_TOOL_OUTPUT = re.compile(r"[A-Za-z0-9+.\-]+_\d{17}(?:_av\.mp4|\.m4a)", re.ASCII)

# What is wrong with a name that the pattern refuses, most telling first; the last one always applies.
_COMPLAINTS = (
    (
        re.compile(r".*="),
        "expected ids in base64 with '/' written as '-' and '=' written as '.', found '='",
    ),
    (re.compile(r"(?:.*__UserDefine_u_)?ha(?![1-3]_)\d*_"), "expected a fail-over prefix ha1_, ha2_ or ha3_"),
    (re.compile(r".*UserId_e_(?!main[_.]|aux[_.])"), "expected main or aux after UserId_e_"),
    (re.compile(r".*UserId_s__{0,2}UserId_e_"), "expected a user id between UserId_s_ and UserId_e_"),
    (
        re.compile(r""),
        "expected <SdkAppId>_<RoomId>, a user and a number where there are any, and .m3u8, .ts, .mp4 or .aac",
    ),
)


@dataclass(frozen=True, slots=True)
class TrtcName:
    """The name of one object of a TRTC cloud recording; made by `parse`.

    Attributes:
        prefix: everything before the last ``/`` of the key, the task id included; empty at top level.
        sdk_app_id: decimal application id, as text.
        room: the room id as written: decimal, or base64 of a string room id (see `string_room`).
        kind: what the object is.
        content: what media it holds; BOTH for mixed objects and MP4s.
        extension: lower-case, without the dot.
        user: user id as written (base64, ``/`` as ``-``, ``=`` as ``.``); None for mixed objects.
        source: camera (``main``) or screen (``aux``).
        typed: the name says audio, video or audiovideo; without it the content is the usual one.
        underscores: 1 (domestic names) or 2 (international ones) around the user id.
        stamp_ms: 17-digit stamp of a slice read as UTC milliseconds; some recorders write it as UTC+8, so
            the playlist's tags come first. None for other kinds.
        failover: ``<n>`` of ``ha<n>_``, 1 to 3; None for the first recorder.
        index: number of a part of a file that was cut; None when nothing was cut.
        record_id: the customer's own id before ``__UserDefine_u_``; None without.
    """

    prefix: str
    sdk_app_id: str
    room: str
    kind: Kind
    content: Content
    extension: str
    user: str | None = None
    source: Source = Source.CAMERA
    typed: bool = False
    underscores: int = 2
    stamp_ms: int | None = None
    failover: int | None = None
    index: int | None = None
    record_id: str | None = None

    @property
    def vendor(self) -> str:
        """Always ``trtc``."""
        return "trtc"

    @property
    def recording(self) -> str:
        """``<SdkAppId>_<RoomId>``: the task id that tells recordings of one room apart is in the prefix."""
        return f"{self.sdk_app_id}_{self.room}"

    @property
    def uid(self) -> str | None:
        """The user id in plain text, as written where it cannot be decoded; None for mixed objects."""
        if self.user is None:
            return None
        plain = decode_id(self.user)
        return self.user if plain is None else plain

    @property
    def string_room(self) -> str | None:
        """The room id in plain text if RoomIdType is 0; None where it is no base64 of text."""
        return decode_id(self.room)

    @property
    def version(self) -> None:
        """Always None: TRTC re-uploads under the same name, and ``index`` counts parts."""
        return

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd and how it was read, a sentence each."""
        if self.user is None or decode_id(self.user) is not None:
            return ()
        return (f"the user id {self.user!r} is no base64 of text and is kept as it is written",)

    def __str__(self) -> str:
        """The key, exactly as it was parsed."""
        record_id = "" if self.record_id is None else f"{self.record_id}{RECORD_ID_ENDS}"
        failover = "" if self.failover is None else f"ha{self.failover}_"
        owner = ""
        if self.user is not None:
            around = "_" * self.underscores
            kind = f"_{_TYPE_NAMES[self.content]}" if self.typed else ""
            owner = f"{around}{USER_BEGINS}{self.user}{around}{USER_ENDS}{_MEDIA_IDS[self.source]}{kind}"
        number = "" if self.index is None else f"_{self.index}"
        stamp = "" if self.stamp_ms is None else f"_{stamp17(self.stamp_ms)}"
        bare = f"{record_id}{failover}{self.recording}{owner}{stamp}{number}.{self.extension}"
        return join_key(self.prefix, bare)


def parse(key: str) -> TrtcName | Ignored:
    """The name behind ``key``, or why it is no input; raises `BadNameError`. ``str(parse(key)) == key``.

    Results of the vendor's merge script and temporary ``.part`` files are `Ignored`.
    """
    prefix, bare = split_key(key)
    if bare.endswith(TEMPORARY):
        finished = bare.removesuffix(TEMPORARY)
        if _NAME.fullmatch(finished) or _TOOL_OUTPUT.fullmatch(finished):
            return Ignored(key, "a temporary file that was never finished")
    if _TOOL_OUTPUT.fullmatch(bare):
        return Ignored(key, "the result of a merge script, not an input")
    found = _NAME.fullmatch(bare)
    if found is None:
        raise BadNameError(key, next(what for pattern, what in _COMPLAINTS if pattern.match(bare)))
    name = _name(key, prefix, **found.groupdict())
    if str(name) != key:
        raise BadNameError(key, "expected an index as the recorder writes it, without leading zeros")
    return name


def _name(
    key: str,
    prefix: str,
    *,
    sdk_app_id: str,
    room: str,
    extension: str,
    tail: str | None,
    user: str | None,
    type: str | None,  # noqa: A002 - the field's name in the vendor's template
    media: str | None,
    separator: str | None,
    failover: str | None,
    record_id: str | None,
) -> TrtcName:
    """The value behind the groups of the pattern; raises `BadNameError` for what the pattern cannot tell."""
    kind = _KINDS[extension]
    if room.isdigit() and (len(room) == DIGITS or (user is None and not _is_room(room))):
        raise BadNameError(key, "expected a room id before the stamp")
    if user is not None and type is None and kind is not Kind.FINISHED:
        raise BadNameError(key, f"expected audio, video or audiovideo before .{extension}")
    stamp_ms = index = None
    if kind is Kind.SLICE:
        stamp_ms = utc_ms(tail or "")
        if stamp_ms is None:
            raise BadNameError(key, "expected a real date as 17-digit stamp before .ts")
    elif tail is not None:
        if len(tail) > _MAX_INDEX_DIGITS:
            raise BadNameError(
                key, f"expected an index of at most {_MAX_INDEX_DIGITS} digits before .{extension}"
            )
        index = int(tail)
    usual = Content.AUDIO if extension == "aac" else Content.BOTH
    return TrtcName(
        prefix=prefix,
        sdk_app_id=sdk_app_id,
        room=room,
        kind=kind,
        content=usual if type is None else _TYPES[type],
        extension=extension,
        user=user,
        source=Source.CAMERA if media is None else _SOURCES[media],
        typed=type is not None,
        underscores=2 if separator is None else len(separator),
        stamp_ms=stamp_ms,
        failover=None if failover is None else int(failover),
        index=index,
        record_id=record_id,
    )


def _is_room(digits: str) -> bool:
    """Whether digits may be a room id: an integer room has at most 10 of them, base64 a multiple of 4."""
    return len(digits) <= _MAX_ROOM_DIGITS or len(digits) % _BASE64_GROUP == 0


def encode_id(plain: str) -> str:
    """A user or string room id as names write it: base64 of UTF-8 with ``/`` as ``-`` and ``=`` as ``.``.

    >>> encode_id("user_01")
    'dXNlcl8wMQ..'
    """
    return base64.b64encode(plain.encode()).decode("ascii").replace("/", "-").replace("=", ".")


def decode_id(written: str) -> str | None:
    """The reverse of `encode_id`; None when ``written`` is not exactly what `encode_id` gives for a text.

    >>> decode_id("YWI-")
    'ab?'
    >>> decode_id("dXNlcl8wM") is None
    True
    """
    try:
        padded = written.replace("-", "/").replace(".", "=")
        plain = base64.b64decode(padded, validate=True).decode()
    except ValueError:  # base64 and UTF-8 both raise kinds of it
        return None
    return plain if encode_id(plain) == written else None
