"""Agora on-premise recording SDK: names of its files to values and back.

Only the grammar of names lives here; what an event file says is in `pipeline.vendors.agora_onpremise.events`.
Sources: https://docs.agora.io/en/on-premise-recording/develop/manage-files (folders and files of 3.x; real
folders have 17 digits where the page has ``HHMMSSMS``), video_convert.py of the SDK (its results),
https://docs.agora.io/en/on-premise-recording/develop/restore-files (recovery files of 4.x). In 4.x the
application chooses the name; read here is what samples choose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.model.stamps import utc_ms
from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from pipeline.vendors.keys import join_key, split_key
from pipeline.vendors.outputs import OUTPUT, is_output

DONE = "recording2-done.txt"
"""Stands in a folder of 3.x once the recording in it has ended."""
COMPOSITE = "0"
"""The user id of a composite; no user of a channel has it."""

_EVENTS_BEGIN = "uid_"
_KINDS = {"txt": Kind.EVENTS, "jpg": Kind.SNAPSHOT, "ts": Kind.SLICE}
_CONTENTS = {"aac": Content.AUDIO, "webm": Content.VIDEO, "jpg": Content.VIDEO}
_SECONDS, _UNIX_MS = 14, 13  # digits

_EVENTS = re.compile(rf"{_EVENTS_BEGIN}(?P<uid>.+)_(?P<time>\d{{17}})\.(?P<extension>txt)", re.ASCII)
_STAMPED = re.compile(r"(?P<uid>.+)_(?P<time>\d{17})\.(?P<extension>aac|mp4|webm|ts|jpg)", re.ASCII)
# A string user id is not read here: a camera's VID_20250930120000.mp4 would be a recording of user VID.
_SAMPLED = re.compile(r"(?P<uid>\d{1,10})_(?P<time>\d{14}|[1-9]\d{12})\.(?P<extension>mp4|jpg)", re.ASCII)
_RECOVERY = re.compile(r".+\.mp4\.(?:h264|aac)", re.DOTALL)
_BESIDE = (
    (_RECOVERY, "a recovery file of a recorder that crashed: raw pictures or sound that hold no timing"),
    (re.compile(re.escape(DONE)), "the mark that the recording ended; nothing to merge"),
    (re.compile(r"convert-done\.txt"), "the mark of a merge script; nothing to merge"),
    (re.compile(r"metadata\.txt"), "the facts about the channel; nothing to merge"),
    (re.compile(r"(?:recording_(?:\d+|sys)|agorasdk|convert)\.log", re.ASCII), "a log; nothing to merge"),
    (re.compile(r".+_\d{14}_\d{1,3}\.jpg", re.ASCII | re.DOTALL), "a snapshot; nothing to merge"),
)
_FOLDER = re.compile(r"(?P<channel>.+)_\d{6}(?:_\d{9})?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class OnPremiseName:
    """The name of one file of the on-premise SDK; made by `parse`.

    Attributes:
        prefix: everything before the last ``/`` of the key; empty at top level.
        uid: user id as written, ``0`` for a composite. It may contain ``_`` (string accounts).
        time: the digits of its start: 17 of a UTC stamp (3.x); 13 of Unix milliseconds, or 14 of a stamp
            without milliseconds (4.x).
        extension: lower-case, without the dot.
    """

    prefix: str
    uid: str
    time: str
    extension: str

    @property
    def vendor(self) -> str:
        """Always ``agora_onpremise``."""
        return "agora_onpremise"

    @property
    def kind(self) -> Kind:
        """Events, a snapshot, a TS slice (3.x while it records), or a file that plays by itself."""
        return _KINDS.get(self.extension, Kind.FINISHED)

    @property
    def recording(self) -> str:
        """The folder: no name tells the channel or the task."""
        return self.prefix.rpartition("/")[2]

    @property
    def channel(self) -> str | None:
        """The channel in the SDK's folder ``<channel>_HHMMSS_MSUSNS``; None where the folder was chosen."""
        found = _FOLDER.fullmatch(self.recording)
        return None if found is None else found["channel"]

    @property
    def composite(self) -> bool:
        """Whether it holds all users in one picture and one mix (user id 0)."""
        return self.uid == COMPOSITE

    @property
    def content(self) -> Content:
        """BOTH for MP4 and TS: their names do not tell whether sound is in them or in an AAC beside them."""
        return _CONTENTS.get(self.extension, Content.BOTH)

    @property
    def source(self) -> Source:
        """Always the camera: Agora shares a screen under a user id of its own."""
        return Source.CAMERA

    @property
    def stamp_ms(self) -> int | None:
        """UTC milliseconds of the start; of the first event in an event file."""
        if len(self.time) == _UNIX_MS:
            return int(self.time)
        return utc_ms(f"{self.time}000" if len(self.time) == _SECONDS else self.time)

    @property
    def failover(self) -> None:
        """Always None: this SDK has no second recorder."""
        return

    @property
    def version(self) -> None:
        """Always None: nothing is uploaded again."""
        return

    @property
    def index(self) -> None:
        """Always None: parts are in the order of their stamps."""
        return

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd and how it was read, a sentence each."""
        if len(self.time) != _SECONDS:
            return ()
        return ("the time in its name has no milliseconds and no zone and is read as UTC",)

    def __str__(self) -> str:
        """The key, exactly as it was parsed."""
        events = _EVENTS_BEGIN if self.kind is Kind.EVENTS else ""
        return join_key(self.prefix, f"{events}{self.uid}_{self.time}.{self.extension}")


def parse(key: str) -> OnPremiseName | Ignored:
    """The name behind ``key``, or why it is no input; raises `BadNameError`. ``str(parse(key)) == key``.

    Merged files, marks, logs and the recovery files of a crash are `Ignored`.
    """
    prefix, bare = split_key(key)
    if is_output(bare):
        return Ignored(key, OUTPUT)
    for beside, reason in _BESIDE:
        if beside.fullmatch(bare):
            return Ignored(key, reason)
    found = _EVENTS.fullmatch(bare) or _STAMPED.fullmatch(bare) or _SAMPLED.fullmatch(bare)
    if found is None:
        raise BadNameError(
            key,
            "expected <uid>_<17 digits> and .aac, .mp4, .webm, .ts or .jpg, uid_<uid>_<17 digits>.txt, "
            "or digits, a time of 13 or 14 digits and .mp4 or .jpg",
        )
    name = OnPremiseName(prefix, **found.groupdict())
    if name.stamp_ms is None:
        raise BadNameError(
            key, f"expected a real date as {len(name.time)}-digit stamp before .{name.extension}"
        )
    if not name.uid.isprintable():
        raise BadNameError(key, f"expected a printable user id before _{name.time}")
    return name


def is_recovery(name: str) -> bool:
    """Whether a bare name is that of a recovery file, which no other vendor writes.

    >>> is_recovery("7_20250930120000.mp4.h264"), is_recovery("7_20190208084418569.aac")
    (True, False)
    """
    return _RECOVERY.fullmatch(name) is not None
