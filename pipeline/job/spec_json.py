"""The text of a job: its JSON Schema, and the value that it describes. No effects.

The document holds no secret: it names environment variables and files that do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from pipeline.errors import CommandError
from pipeline.job.compose_json import Composites
from pipeline.job.faults import faults_of
from pipeline.job.shares import Spread
from pipeline.job.spec import Job, JobLimits
from pipeline.job.spec_snapshot import Snapshots
from pipeline.model.completeness import Settling
from pipeline.model.containers import Container
from pipeline.model.durations import duration_ms
from pipeline.model.options import (
    LOUDNESS,
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
from pipeline.notify.webhook import Secret, SecretInEnvironment, SecretInFile, Url, Webhook
from pipeline.storage.protocol import Extras
from pipeline.vendors.volcengine import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = 1
MOST_BYTES = 1_000_000
NEVER = "never"
T = TypeVar("T")
_METADATA = re.compile(r"[a-z0-9][a-z0-9\-]{0,62}", re.ASCII)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VolcengineTask(_Model):
    """What is known of a Volcengine task, where its ids contain "_" or it has a naming pattern."""

    task_id: str
    room_id: str | None = None
    pattern: str | None = None


class Selection(_Model):
    """Which part of the recording."""

    uids: tuple[str, ...] = Field(default=(), description="Only these users; all when empty.")
    start: str | None = Field(default=None, description="UTC, or h:mm:ss from the recording's beginning.")
    end: str | None = Field(default=None, description="As start.")
    volcengine: VolcengineTask | None = None


class Outputs(_Model):
    """What comes out; the words of `recpipe merge`."""

    kind: Literal["merge"] = "merge"
    by: By = By.USER
    tracks: Tracks | None = None
    container: Container = Container.MP4
    gaps: Gaps = Gaps.HOLD
    on_change: OnChange = OnChange.FIT
    screen: Screen = Screen.OWN
    mix: bool = False
    loudness: int | None = Field(default=None, ge=LOUDNESS[0], le=LOUDNESS[1])
    align: Align = Align.USER
    missing: Missing = Missing.FILL
    max_audio_edits: int = Field(default=60, ge=0)
    verify: Verify = Verify.FULL


def _kind(asked: object) -> str:
    """Which of the kinds of outputs a part of a document is; merge where it does not say."""
    told = asked.get("kind", "merge") if isinstance(asked, dict) else getattr(asked, "kind", "")
    return told if isinstance(told, str) else ""


class Place(_Model):
    """A folder or a store that gets the files and manifest.json; exactly one of the targets."""

    place: str = Field(
        min_length=1, description="Written as SOURCE is: a folder, s3://bucket/prefix, NAME:prefix."
    )
    metadata: dict[str, str] = Field(default={}, description="Kept by the store beside each file.")
    tags: dict[str, str] = Field(default={}, description="That the store's rules can act on.")
    storage_class: str = ""
    encryption: Literal["", "AES256", "aws:kms"] = ""
    kms_key: str = ""


class Vod(_Model):
    """A VOD service that gets each file too."""

    vod: str = Field(min_length=1, description="Its name in recpipe.toml.")


def _target(asked: object) -> str:
    """Which of the kinds of targets a part of a document is."""
    is_vod = "vod" in asked if isinstance(asked, dict) else isinstance(asked, Vod)
    return "Vod" if is_vod else "Place"


Target = Annotated[
    Annotated[Place, Tag("Place")] | Annotated[Vod, Tag("Vod")],
    Discriminator(_target),
]


class Notify(_Model):
    """A webhook that is told how the job ended."""

    url: str
    secret_env: tuple[str, ...] = Field(default=(), description="Environment variables with a secret each.")
    secret_file: tuple[str, ...] = Field(default=(), description="Files with a secret each.")
    ca_bundle: str | None = None


class Limits(_Model):
    """How the work is done."""

    jobs: Annotated[int, Field(ge=1, le=1024)] | None = Field(default=None, description="Users at once.")
    settle: str = Field(default="2m", description="The listing must have stayed as it is for so long.")
    settle_limit: str = Field(
        default="6h", description="After so long without a change it is taken as it is."
    )
    accept_loss: bool = False
    overwrite: bool = False
    spread: str | None = Field(
        default=None,
        description="In a queue, composites of this length and more are made by several jobs; or never.",
    )


class Document(_Model):
    """A job of recpipe."""

    version: Literal[1]
    source: str = Field(min_length=1, description="A folder, s3://bucket/prefix or NAME:prefix of a store.")
    selection: Selection = Selection()
    outputs: Annotated[
        Annotated[Outputs, Tag("merge")]
        | Annotated[Composites, Tag("compose")]
        | Annotated[Snapshots, Tag("snapshot")],
        Discriminator(_kind),
    ] = Outputs()
    names: str = Field(default="", description="The pattern of --name; empty for the default names.")
    targets: tuple[Target, ...] = Field(min_length=1, description="One place, and VOD services.")
    notify: tuple[Notify, ...] = ()
    delete_source: Literal["never", "after-verify"] = "never"
    limits: Limits = Limits()
    folder: str = Field(
        default="",
        description="To which paths of its own files are relative; below that of the job's file.",
    )


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Document.model_json_schema()}


def parse_job(text: str, source: str, folder: Path) -> Job:
    """The job in a text.

    Args:
        text: JSON.
        source: where it was read, for sentences.
        folder: to which the paths of its own files are relative.

    Raises:
        CommandError: it is none; every fault with the path of its field.
    """
    document = parse_document(text, source)
    job, faults = _job(document, folder / Path(document.folder))
    if job is None:
        raise CommandError(f"{source} is no job: {'; '.join(faults)}.")
    return job


def parse_document(text: str, source: str, *, strict: bool = False) -> Document:
    """The document in a text, by its schema alone; strictly, 0 is no false. Raises as `parse_job`."""
    try:
        return Document.model_validate_json(text, strict=strict or None)
    except ValidationError as error:
        raise CommandError(f"{source} is no job: {'; '.join(faults_of(error))}.") from None


@dataclass(frozen=True, slots=True)
class _Told:
    """Collects what the values of fields refuse."""

    faults: list[str] = field(default_factory=list)

    def get(self, where: str, make: Callable[[], T]) -> T | None:
        """The value; None where there is none, with the fault told."""
        try:
            return make()
        except (CommandError, ValueError) as error:
            self.faults.append(f"{where}: {str(error).rstrip('.')}")
            return None


def _job(document: Document, folder: Path) -> tuple[Job | None, list[str]]:
    """The job of a document, or its faults."""
    told = _Told()
    places = [target for target in document.targets if isinstance(target, Place)]
    if len(places) != 1:
        told.faults.append(f"targets: expected exactly one with a place, found {len(places)}")
        return None, told.faults
    limits = document.limits
    task = told.get("selection.volcengine", lambda: _task(document.selection.volcengine))
    start = told.get("selection.start", lambda: _moment(document.selection.start))
    end = told.get("selection.end", lambda: _moment(document.selection.end))
    options = told.get("outputs", lambda: _options(document, start, end, folder))
    hooks = [
        told.get(f"notify.{number}", partial(_webhook, each, folder))
        for number, each in enumerate(document.notify)
    ]
    settle = told.get("limits.settle", lambda: duration_ms(limits.settle))
    spread = told.get("limits.spread", lambda: _spread(limits.spread))
    latest = told.get("limits.settle_limit", lambda: duration_ms(limits.settle_limit))
    extras = told.get("targets", lambda: _extras(places[0]))
    told.faults.extend(_of_films(document))
    if told.faults or options is None or extras is None or settle is None or latest is None or spread is None:
        return None, told.faults
    job = Job(
        source=document.source,
        place=places[0].place,
        options=options,
        task=task,
        extras=extras,
        vod=tuple(dict.fromkeys(target.vod for target in document.targets if isinstance(target, Vod))),
        webhooks=tuple(hook for hook in hooks if hook is not None),
        delete_source=document.delete_source == "after-verify",
        limits=JobLimits(limits.jobs, Settling(settle, latest), limits.accept_loss, limits.overwrite, spread),
    )
    return job, []


def _of_films(document: Document) -> Iterator[str]:
    """What is asked for that only makes sense where films come out."""
    if not isinstance(document.outputs, Snapshots):
        return
    if any(isinstance(target, Vod) for target in document.targets):
        yield "targets: VOD services take films, not the pictures of kind snapshot"
    if document.delete_source != "never":
        yield "delete_source: pictures leave most of the recording out: only never goes with kind snapshot"


def _task(asked: VolcengineTask | None) -> Task | None:
    return Task(asked.task_id, asked.room_id, asked.pattern) if asked else None


def _moment(asked: str | None) -> Moment | None:
    return None if asked is None else Moment.parse(asked)


def _options(document: Document, start: Moment | None, end: Moment | None, folder: Path) -> Options:
    asked, uids = document.outputs, tuple(dict.fromkeys(document.selection.uids))
    if isinstance(asked, Snapshots):
        return asked.options(uids, document.names, start, end)
    if isinstance(asked, Composites):
        return asked.options(uids, document.names, start, end, folder)
    wanted = Options(
        uids=uids,
        by=asked.by,
        tracks=asked.tracks or Tracks.BOTH,
        container=asked.container,
        gaps=asked.gaps,
        on_change=asked.on_change,
        screen=asked.screen,
        mix=asked.mix,
        loudness=asked.loudness,
        align=asked.align,
        missing=asked.missing,
        start=start,
        end=end,
        max_audio_edits=asked.max_audio_edits,
        name=document.names,
        verify=asked.verify,
    )
    if wanted.sound_alone and asked.tracks is Tracks.BOTH:
        raise CommandError(f"{wanted.sound_alone} has no pictures: leave tracks out")
    return wanted


def _spread(asked: str | None) -> Spread:
    if asked is None:
        return Spread()
    return Spread(None if asked == NEVER else duration_ms(asked), asked=True)


def _webhook(asked: Notify, folder: Path) -> Webhook:
    secrets: list[Secret] = [SecretInEnvironment(name) for name in asked.secret_env]
    secrets += [SecretInFile(folder / name) for name in asked.secret_file]
    trusted = folder / asked.ca_bundle if asked.ca_bundle else None
    return Webhook(Url.parse(asked.url), tuple(secrets), trusted)


def _extras(place: Place) -> Extras:
    """What goes with the files; a header with a line's end would be refused when all of them are made."""
    if not all(_METADATA.fullmatch(name) and _is_sent(value) for name, value in place.metadata.items()):
        raise ValueError(
            "metadata has names of lower-case ASCII letters, digits and '-', and printable ASCII values"
        )
    for name, value in (("storage_class", place.storage_class), ("kms_key", place.kms_key)):
        if not _is_sent(value):
            raise ValueError(f"{name} is printable ASCII")
    if place.kms_key and place.encryption != "aws:kms":
        raise ValueError('kms_key is given without "encryption": "aws:kms"')
    return Extras(
        metadata=place.metadata or None,
        tags=place.tags or None,
        storage_class=place.storage_class,
        encryption=place.encryption,
        kms_key=place.kms_key,
    )


def _is_sent(value: str) -> bool:
    return value.isascii() and value.isprintable()
