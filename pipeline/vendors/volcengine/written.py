"""Names of outputs by Volcengine's naming patterns (RecordFileNamePattern, FileNameConfig.Pattern).

Sources: https://volcengine.com/docs/6348/106873 and https://docs.byteplus.com/byteplus-rtc/docs/106873
(variables and their forms, at most 128 characters), https://volcengine.com/docs/6348/1188215 and the field
text of FileNameConfig.Prefix in Volcengine's SDKs (folders). Unlike the recorder, nothing is cut here, and no
misspelt variable stays in a name.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.model.naming import numbered
from pipeline.vendors.base import Source
from pipeline.vendors.volcengine.names import MOST_CHARACTERS, VolcengineName
from pipeline.vendors.volcengine.templates import ID, Template, Variable
from pipeline.vendors.written import Folders, ending, fitting, lacking, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.model.naming import Facts
    from pipeline.vendors.base import Name

SINGLE = "{TaskId}_{RoomId}_{UserId}_{Type}_{StartTime}_{Duration}_{Random}"
MIXED = "{TaskId}_{RoomId}_{StartTime}_{Duration}_{Random}"
STREAM = "{TaskId}_{StreamId}_{StartTime}_{Duration}_{Random}"

_STYLE = "volcengine"
_FOLDERS = Folders(_STYLE, "Prefix", "A-Za-z0-9", "letters and digits", 128)
_ENDINGS = frozenset({".mp4", ".m4a", ".mp3"})
_TYPES = {Source.CAMERA: "C", Source.SCREEN: "S"}
_RANDOM_DIGITS = 8
_FIRST_START_MS = 10**12
"""The first that has 13 digits, in 2001; what nothing tells the beginning of lies in 1970."""
_LITERAL = re.compile(r"[\w.@+-]*")
_SPELT = {
    Variable.TASK_ID: "TaskId",
    Variable.ROOM_ID: "RoomId",
    Variable.USER_ID: "UserId",
    Variable.STREAM_ID: "StreamId",
    Variable.TYPE: "Type",
    Variable.START_TIME: "StartTime",
    Variable.DURATION: "Duration",
    Variable.RANDOM: "Random",
}
_VARIABLE = re.compile("|".join(rf"\{{{name}\}}" for name in _SPELT.values()), re.IGNORECASE | re.ASCII)
_ALL = " ".join(f"{{{name}}}" for name in _SPELT.values())


def is_pattern(text: str) -> bool:
    """Whether a text has variables of a naming pattern: then it is meant as one.

    >>> is_pattern("{taskid}_{UserId}"), is_pattern("{uid}_{utc}")
    (True, False)
    """
    return _VARIABLE.search(text) is not None


def asked(text: str) -> tuple[str, str]:
    """As `Writer.asked`: ``[<folder>/…][<pattern>]``."""
    folders, slash, pattern = text.rpartition("/")
    if pattern:
        _template(pattern)
    return _FOLDERS.read(folders + slash), pattern


def names(text: str, like: Name, key: str, files: Sequence[Facts]) -> list[str]:
    """As `Writer.names`; two files that would have one name are refused."""
    count = numbered([(file.uid, file.source) for file in files], files)
    out = [
        _name(
            _template(text or _usual(like, file)), like, file, f"{key}\0{file.uid}\0{file.source}\0{number}"
        )
        for file, (number, _) in zip(files, count, strict=True)
    ]
    made = [name for name, file in zip(out, files, strict=True) if not file.refused]
    twice = next((name for name in made if made.count(name) > 1), None)
    if twice is not None:
        raise CommandError(
            f"--name volcengine gives two files the name {shown(twice)}: put {{UserId}}, {{Type}}, "
            "{StartTime} or {Random} into the pattern."
        )
    return out


def _template(pattern: str) -> Template:
    """The template of a pattern whose every name is one for files; raises `CommandError`."""
    try:
        template = Template.of(pattern)
    except ValueError as error:
        raise CommandError(f"--name volcengine has the pattern {shown(pattern)}: {error}.") from error
    for part in template.parts:
        if isinstance(part, str) and not _LITERAL.fullmatch(part):
            raise CommandError(
                f"--name volcengine has {shown(part)} in its pattern: between the variables {_ALL} are "
                "letters, digits, '_', '.', '@', '+' and '-'."
            )
    return template


def _usual(like: Name, file: Facts) -> str:
    """The recorder's default pattern for such a file."""
    if not file.uid:
        return MIXED
    return STREAM if isinstance(like, VolcengineName) and like.get(Variable.STREAM_ID) else SINGLE


def _name(template: Template, like: Name, file: Facts, track: str) -> str:
    random = hashlib.sha256(track.encode("utf-8", "surrogatepass")).hexdigest()[:_RANDOM_DIGITS]
    values = {**_told(like, file), Variable.RANDOM: random}
    lack = next((v for v in template.parts if isinstance(v, Variable) and v not in values), None)
    if lack is not None:
        raise _lacking(lack, like, file)
    if Variable.USER_ID in template.variables and not re.fullmatch(ID, file.uid):
        raise CommandError(
            f"--name volcengine cannot name the user {shown(file.uid)}: a UserId has at most 128 letters, "
            "digits, '_', '@', '-' and '.'."
        )
    stem = template.write(values)
    if len(stem) > MOST_CHARACTERS:
        raise CommandError(
            f"--name volcengine gives a name of {len(stem)} characters, {shown(stem)}: Volcengine has "
            f"at most {MOST_CHARACTERS}, and names are not cut; choose a shorter pattern."
        )
    _check(template, values, stem)
    return fitting(_STYLE, stem + ending(_STYLE, file, _ENDINGS))


def _check(template: Template, values: Mapping[Variable, str], stem: str) -> None:
    """Refuse a name that is hidden, or that nobody could take apart again."""
    if stem.startswith("."):
        raise CommandError(
            f"--name volcengine gives {shown(stem)}, a hidden file: put something before it into the pattern."
        )
    known = {v: values[v] for v in (Variable.TASK_ID, Variable.ROOM_ID) if v in values}
    if template.read(stem, known) != {v: values[v] for v in template.variables}:
        raise CommandError(
            f"--name volcengine gives {shown(stem)}, which would be read as another name: put '_' between "
            "the variables of the pattern."
        )


def _told(like: Name, file: Facts) -> dict[Variable, str]:
    """The values that the recording and the file have."""
    out = {Variable.DURATION: f"{file.length_ms // 1000:06d}"}
    stream = None
    if isinstance(like, VolcengineName):
        ids = {variable: like.get(variable) for variable in (Variable.TASK_ID, Variable.ROOM_ID)}
        out |= {variable: value for variable, value in ids.items() if value is not None}
        stream = like.get(Variable.STREAM_ID)
    if file.uid and stream is not None:
        out[Variable.STREAM_ID] = file.uid
    elif file.uid:
        out |= {Variable.USER_ID: file.uid, Variable.TYPE: _TYPES[Source(file.source)]}
    if file.zero_ms >= _FIRST_START_MS:
        out[Variable.START_TIME] = str(file.zero_ms)
    return out


def _lacking(variable: Variable, like: Name, file: Facts) -> CommandError:
    """The error for a variable without a value."""
    field = _SPELT[variable]
    if variable is Variable.START_TIME:
        why = "nothing tells when the recording began; leave it out of the pattern"
    elif not file.uid and variable not in {Variable.TASK_ID, Variable.ROOM_ID}:
        why = "a file of all users has none; leave it out of the pattern"
    elif isinstance(like, VolcengineName) and like.get(Variable.HEAD) is not None:
        why = "the recording's names do not tell its ids apart; give --task-id and --room-id"
    elif isinstance(like, VolcengineName):
        why = "the recording's names tell none; leave it out of the pattern"
    else:
        return lacking(_STYLE, field, like)
    return CommandError(f"--name volcengine needs the {field}: {why}.")
