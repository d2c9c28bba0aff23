"""The options of merge and plan that decide what comes out, and their way into `Options`."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.errors import CommandError
from pipeline.model.completeness import Settling
from pipeline.model.containers import Container
from pipeline.model.durations import duration_ms
from pipeline.model.options import (
    Align,
    By,
    Gaps,
    Missing,
    Moment,
    OnChange,
    Options,
    Screen,
    Tracks,
    Verify,
)
from pipeline.vendors.styles import style_of
from pipeline.vendors.volcengine import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

Function = Any
"""A command's function under decoration; click's own decorators are no stricter."""

FOLDER = click.Path(path_type=Path)


def source(function: Function) -> Function:
    """The argument SOURCE, and where the stores are named that it may speak of."""
    return click.argument("source")(config(function))


def config(function: Function) -> Function:
    """The option --config."""
    return click.option(
        "--config",
        metavar="FILE",
        help="Where stores are named.  [default: recpipe.toml here, or in ~/.config/recpipe]",
    )(function)


def as_json(function: Function) -> Function:
    """The option --json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on stdout; messages go to stderr."
    )(function)


def engine(function: Function) -> Function:
    """The option --engine."""
    return click.option(
        "--engine", required=True, metavar="QUEUE", help="Where the jobs are: sqlite:PATH or postgres:DSN."
    )(function)


def accept_loss(function: Function) -> Function:
    """The option --accept-loss."""
    return click.option("--accept-loss", is_flag=True, help="Losses are no reason for exit code 1.")(function)


def jobs(function: Function) -> Function:
    """The option --jobs."""
    return click.option(
        "--jobs",
        type=click.IntRange(1, 1024),
        metavar="N",
        help="How many users at once.  [default: the number of processors]",
    )(function)


def settle(function: Function) -> Function:
    """The options --settle and --settle-limit; see `settling`."""
    decorators = (
        click.option(
            "--settle",
            default="0",
            metavar="DURATION",
            help="Begin when nothing in SOURCE has changed for so long, such as 2m or 90s.  "
            "[default: at once]",
        ),
        click.option(
            "--settle-limit",
            default="0",
            metavar="DURATION",
            help="Wait so long after the last change for slices and playlist ends that are missing, "
            "such as 6h.",
        ),
    )
    return reduce(lambda f, decorator: decorator(f), reversed(decorators), function)


def settling(values: dict[str, Any]) -> Settling:
    """How long to wait, taken out of what was typed. Raises CommandError for what is no duration."""
    return Settling(duration_ms(values.pop("settle")), duration_ms(values.pop("settle_limit")))


def overwrite(function: Function) -> Function:
    """The option --overwrite."""
    return click.option(
        "--overwrite", is_flag=True, help="Replace files of the same names that this did not make."
    )(function)


def level(function: Function) -> Function:
    """The option --level of verify."""
    return click.option(
        "--level",
        type=click.Choice([Verify.FULL.value, Verify.FAST.value]),
        default=Verify.FULL.value,
        show_default=True,
        help="full reads every byte and decodes both ends and every join; fast does not decode, and of "
        "what is in a store reads the tables alone.",
    )(function)


def task(function: Function) -> Function:
    """The options that tell of a Volcengine task; see `known_task`."""
    decorators = (
        click.option("--task-id", metavar="ID", help="Volcengine: the TaskId that names begin with."),
        click.option("--room-id", metavar="ID", help="Volcengine: the RoomId; where ids contain '_'."),
        click.option("--task-pattern", metavar="PATTERN", help="Volcengine: its FileNameConfig.Pattern."),
    )
    return reduce(lambda f, decorator: decorator(f), reversed(decorators), function)


def known_task(values: dict[str, Any]) -> Task | None:
    """The Volcengine task that was told, taken out of what was typed; None if none was.

    Raises:
        CommandError: it is none, or only a part of it was told.
    """
    task_id, room_id, pattern = (values.pop(name) for name in ("task_id", "room_id", "task_pattern"))
    if task_id is None:
        if room_id is None and pattern is None:
            return None
        raise CommandError("--room-id and --task-pattern tell of a task: give its --task-id too.")
    try:
        return Task(task_id, room_id, pattern)
    except ValueError as error:
        raise CommandError(f"--task-id, --room-id and --task-pattern tell of no task: {error}.") from error


def _choice(name: str, kind: type[StrEnum], default: StrEnum, text: str) -> Callable[[Function], Function]:
    return click.option(
        name,
        type=click.Choice([str(each) for each in kind]),
        default=str(default),
        show_default=True,
        help=text,
    )


_DECORATORS = (
    click.option("--uid", "uids", multiple=True, metavar="U", help="Only this user; may be given again."),
    _choice("--by", By, By.USER, "One file per user, or one per stay of a user."),
    click.option(
        "--tracks",
        type=click.Choice([str(each) for each in Tracks]),
        help="Sound and pictures, or one of them.  [default: av, or audio where the container holds no more]",
    ),
    _choice(
        "--container",
        Container,
        Container.MP4,
        "What the files are; webm holds only VP8, VP9 and Opus, m4a only sound, and mp3 is sound encoded.",
    ),
    _choice(
        "--gaps",
        Gaps,
        Gaps.HOLD,
        "While a user is absent: hold the last picture or show black, with silence; or drop the time.",
    ),
    _choice(
        "--on-change",
        OnChange,
        OnChange.FIT,
        "Where pictures or sound change: re-encode the rarer kinds to fit, split the file, or copy all.",
    ),
    _choice(
        "--screen",
        Screen,
        Screen.OWN,
        "A shared screen: a file of its own; before or behind the camera in one file; alone; or none of it.",
    ),
    click.option(
        "--start", metavar="T", help="Begin here: UTC (2026-01-20T11:30:22Z) or h:mm:ss from the beginning."
    ),
    click.option("--end", metavar="T", help="End here; as --start. Cuts snap outwards to key frames."),
    click.option("--mix", is_flag=True, help="The sound of all users in one file, by UTC."),
    click.option(
        "--loudness",
        type=int,
        metavar="LUFS",
        help="Bring files of sound to this loudness (EBU R 128), such as -16; they are encoded.",
    ),
    _choice("--align", Align, Align.USER, "File zero: the user's first media, or the recording's."),
    _choice("--missing", Missing, Missing.FILL, "A listed slice that is not there: fill its time, or fail."),
    click.option(
        "--max-audio-edits",
        type=click.IntRange(0),
        default=60,
        show_default=True,
        metavar="N",
        help="Resample sound whose clock would need more frames an hour put in or left out than this.",
    ),
    click.option(
        "--name",
        default="",
        metavar="PATTERN",
        help="Names of the files, of {uid} {screen} {utc} {kind} {recording}; or as a vendor's: agora, "
        "trtc[:PREFIX], volcengine[:PATTERN].",
    ),
    _choice("--verify", Verify, Verify.FULL, "How much of each file is checked after it was written."),
)


def wishes(function: Function) -> Function:
    """All options that decide what comes out."""
    return reduce(lambda f, decorator: decorator(f), reversed(_DECORATORS), function)


def options(values: dict[str, Any]) -> Options:
    """What was typed as a value.

    Raises:
        CommandError: a moment that is none, an end before the start, options that contradict each other, or a
            name that the vendor would not take.
    """
    style_of(values["name"])  # says what is wrong before anything is read
    start, end = values["start"], values["end"]
    wanted = Options(
        uids=tuple(dict.fromkeys(values["uids"])),
        by=By(values["by"]),
        tracks=Tracks(values["tracks"] or Tracks.BOTH),
        container=Container(values["container"]),
        gaps=Gaps(values["gaps"]),
        on_change=OnChange(values["on_change"]),
        screen=Screen(values["screen"]),
        align=Align(values["align"]),
        missing=Missing(values["missing"]),
        start=None if start is None else Moment.parse(start),
        end=None if end is None else Moment.parse(end),
        max_audio_edits=values["max_audio_edits"],
        name=values["name"],
        mix=values["mix"],
        loudness=values["loudness"],
        verify=Verify(values["verify"]),
    )
    if wanted.sound_alone and values["tracks"] == Tracks.BOTH:
        raise CommandError(f"{wanted.sound_alone} has no pictures: leave --tracks av out.")
    return wanted
