"""Volcengine RTC (BytePlus RTC) cloud recording: object keys to values and back.

Only what a whole key is lives here; what stands in which place of a name is in
`pipeline.vendors.volcengine.templates`, and what a task knows of its own names in
`pipeline.vendors.volcengine.tasks`. No listing of a real recording is public: all of this is from documents.
Sources: https://docs.byteplus.com/byteplus-rtc/docs/106873 and https://volcengine.com/docs/6348/106873
(names), https://volcengine.com/docs/6348/1188215 (file formats, StartRecord).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Source
from pipeline.vendors.keys import join_key, split_key
from pipeline.vendors.volcengine.tasks import UNKNOWN, Task
from pipeline.vendors.volcengine.templates import HEAD, Template, Variable

TEMPORARY = ".tmp"
MOST_CHARACTERS = 128
"""Of a name without its extension; the recorder cuts longer ones and ends them in ``~``."""

_EXTENSIONS = ("mp4", "m3u8", "ts", "flv", "mp3", "aac", "m4a")
_KINDS = {"m3u8": Kind.INDEX, "ts": Kind.SLICE}
_SOUND_ONLY = {"mp3", "aac", "m4a"}
_SOURCES = {"C": Source.CAMERA, "S": Source.SCREEN}

_DOT_EXTENSION = rf"(?:\.(?:{'|'.join(_EXTENSIONS)}))?"
_CUT = re.compile(rf".{{{MOST_CHARACTERS - 1}}}~{_DOT_EXTENSION}", re.DOTALL)
# Agora's "<tick>_<version>" has no version of so many digits, TRTC no room of 13.
_MARKED = re.compile(
    rf"{HEAD}_[1-9]\d{{12}}_(?:\d{{6,9}}|\d{{1,9}}_[0-9A-Za-z]{{8}}){_DOT_EXTENSION}",
    re.ASCII,
)
_LITERAL = re.compile(r"\{[^{}]*\}")

# What is wrong with a name that no template reads, most telling first; the last one always applies.
_COMPLAINTS = (
    (
        re.compile(rf"{HEAD}_[1-9]\d{{12}}_\d{{1,9}}_[^_]+", re.ASCII),
        "expected 8 letters and digits after the duration",
    ),
    (
        re.compile(rf"{HEAD}_\d+_\d{{1,9}}(?:_[^_]+)?", re.ASCII),
        "expected a start of 13 digits, Unix milliseconds, before the duration",
    ),
    (
        re.compile(r".*", re.DOTALL),
        "expected <TaskId>_<RoomId>[_<UserId>_<C or S>]_<StartTime>_<Duration>[_<Random>]",
    ),
)


@dataclass(frozen=True, slots=True)
class VolcengineName:
    """The name of one object of a Volcengine recording; made by `parse`.

    Attributes:
        prefix: everything before the last ``/`` of the key; empty at top level.
        template: what the name is made of.
        values: the value of each variable of ``template``, in their order there.
        extension: lower-case, without the dot; empty where the name has none (VOD without
            AutoSetFileExtension).
    """

    prefix: str
    template: Template
    values: tuple[tuple[Variable, str], ...]
    extension: str

    def get(self, variable: Variable) -> str | None:
        """The value of a variable; None where the name does not have it."""
        return dict(self.values).get(variable)

    @property
    def vendor(self) -> str:
        """Always ``volcengine``."""
        return "volcengine"

    @property
    def kind(self) -> Kind:
        """A playlist, a TS slice, or a file that plays by itself."""
        return _KINDS.get(self.extension, Kind.FINISHED)

    @property
    def recording(self) -> str:
        """``<TaskId>_<RoomId>``, or ``<TaskId>`` of a public stream; empty where the pattern has neither.

        All the ids, the user's too, where they cannot be told apart.
        """
        ids = [self.get(variable) for variable in (Variable.TASK_ID, Variable.ROOM_ID, Variable.HEAD)]
        return "_".join(known for known in ids if known is not None)

    @property
    def single(self) -> bool:
        """Whether it holds one stream: a stream type or a user id stands in the name."""
        variables = self.template.variables
        return bool(variables & {Variable.TYPE, Variable.USER_ID, Variable.STREAM_ID})

    @property
    def uid(self) -> str | None:
        """The user id, or the id of a public stream; all the ids where they cannot be told apart.

        None for mixed recordings, and where the naming pattern does not tell.
        """
        if not self.single:
            return None
        return self.get(Variable.USER_ID) or self.get(Variable.STREAM_ID) or self.get(Variable.HEAD)

    @property
    def content(self) -> Content:
        """AUDIO for MP3, AAC and M4A, which only audio-only tasks write; BOTH for others."""
        return Content.AUDIO if self.extension in _SOUND_ONLY else Content.BOTH

    @property
    def source(self) -> Source:
        """Camera or screen by the stream type; the camera where the name has none."""
        return _SOURCES[self.get(Variable.TYPE) or "C"]

    @property
    def stamp_ms(self) -> int | None:
        """StartTime, UTC milliseconds; of this file by one page, of the whole task by another.

        The record callback's StartTime comes first. None where the naming pattern has none.
        """
        start = self.get(Variable.START_TIME)
        return None if start is None else int(start)

    @property
    def duration_s(self) -> int | None:
        """Seconds; None where the name has none, or 0 (HLS that was uploaded while it was recorded)."""
        return int(self.get(Variable.DURATION) or "0") or None

    @property
    def failover(self) -> None:
        """Always None: no name tells a second recorder."""
        return

    @property
    def version(self) -> None:
        """Always None: nothing is uploaded again under another name."""
        return

    @property
    def index(self) -> None:
        """Always None: parts of a recording over about 4 hours are in the order of their stamps."""
        return

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd and how it was read, a sentence each."""
        out = []
        if self.uid is None and self.template not in UNKNOWN and not self._mixed:
            out.append("its naming pattern has no user id: only the record callback tells whose it is")
        elif self.single and self.get(Variable.HEAD) is not None:
            out.append("task, room and user id may contain '_': without the task's ids they stay together")
        stem = self.template.write(dict(self.values))
        out += [
            f"{literal} is no variable of a naming pattern and stands there as it was written"
            for literal in dict.fromkeys(_LITERAL.findall(stem))
        ]
        return tuple(out)

    @property
    def _mixed(self) -> bool:
        """Whether it is a name of a mixed recording: the room and the time, and no stream type."""
        return not self.single and self.template.variables >= {Variable.ROOM_ID, Variable.START_TIME}

    def __str__(self) -> str:
        """The key, exactly as it was parsed."""
        dot = "." if self.extension else ""
        stem = self.template.write(dict(self.values))
        return join_key(self.prefix, f"{stem}{dot}{self.extension}")


def parse(key: str, task: Task | None = None) -> VolcengineName | Ignored:
    """The name behind ``key``, or why it is no input; raises `BadNameError`. ``str(parse(key)) == key``.

    With the ``task`` that wrote it, its ids are told apart and names of other tasks are refused. Names that
    the recorder cut and temporary files are `Ignored`.
    """
    prefix, bare = split_key(key)
    if _CUT.fullmatch(bare):
        return Ignored(
            key,
            f"its name was cut at {MOST_CHARACTERS} characters: only the record callback tells whose it is",
        )
    if bare.endswith(TEMPORARY) and _read(prefix, bare.removesuffix(TEMPORARY), task) is not None:
        return Ignored(key, "a temporary file that was never finished")
    name = _read(prefix, bare, task)
    if name is not None:
        return name
    if task is not None:
        raise BadNameError(key, f"expected a name of the task {task.task_id!r}")
    stem, _ = _split(bare)
    raise BadNameError(key, next(what for pattern, what in _COMPLAINTS if pattern.fullmatch(stem)))


def _read(prefix: str, bare: str, task: Task | None) -> VolcengineName | None:
    """The name by the first template that reads it."""
    stem, extension = _split(bare)
    templates, known = (UNKNOWN, {}) if task is None else (task.templates, task.known)
    for template in templates:
        values = template.read(stem, known)
        if values is not None:
            return VolcengineName(prefix, template, tuple(values.items()), extension)
    return None


def _split(bare: str) -> tuple[str, str]:
    """The name without its extension, and that; only known extensions are some, ids may contain dots."""
    stem, _, extension = bare.rpartition(".")
    return (stem, extension) if extension in _EXTENSIONS else (bare, "")


def is_marked(name: str) -> bool:
    """Whether a bare name can only be Volcengine's.

    >>> is_marked("task_room_C_1700000000000_000061_Ab12Cd34.mp4"), is_marked("sid_room_22194679897_0.m3u8")
    (True, False)
    """
    return _MARKED.fullmatch(name) is not None or _CUT.fullmatch(name) is not None
