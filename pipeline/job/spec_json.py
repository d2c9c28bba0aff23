"""The text of a job: its JSON Schema, and the value that it describes. No effects.

The document holds no secret: it names environment variables and files that do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import CommandError
from pipeline.job.spec import Job, JobLimits
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
from pipeline.notify.webhook import SecretInEnvironment, SecretInFile, Url, Webhook
from pipeline.storage.protocol import Extras
from pipeline.vendors.volcengine import Task

VERSION = 1
MOST_BYTES = 1_000_000
MOST_FAULTS = 50


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VolcengineTask(_Model):
    """What is known of a Volcengine task, where its ids contain "_" or it has a naming pattern."""

    task_id: str
    room_id: str | None = None
    pattern: str | None = None


class Selection(_Model):
    """Which part of the recording."""

    uids: tuple[str, ...] = Field((), description="Only these users; all when empty.")
    start: str | None = Field(None, description="UTC, or h:mm:ss from the recording's beginning.")
    end: str | None = Field(None, description="As start.")
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
    loudness: int | None = Field(None, ge=LOUDNESS[0], le=LOUDNESS[1])
    align: Align = Align.USER
    missing: Missing = Missing.FILL
    max_audio_edits: int = Field(60, ge=0)
    verify: Verify = Verify.FULL


class Place(_Model):
    """A folder or a store that gets the files and manifest.json; exactly one of the targets."""

    place: str = Field(
        min_length=1, description="Written as SOURCE is: a folder, s3://bucket/prefix, NAME:prefix."
    )
    metadata: dict[str, str] = Field({}, description="Kept by the store beside each file.")
    tags: dict[str, str] = Field({}, description="That the store's rules can act on.")
    storage_class: str = ""
    encryption: Literal["", "AES256", "aws:kms"] = ""
    kms_key: str = ""


class Vod(_Model):
    """A VOD service that gets each file too."""

    vod: str = Field(min_length=1, description="Its name in recpipe.toml.")


class Notify(_Model):
    """A webhook that is told how the job ended."""

    url: str
    secret_env: tuple[str, ...] = Field((), description="Environment variables with a secret each.")
    secret_file: tuple[str, ...] = Field((), description="Files with a secret each.")
    ca_bundle: str | None = None


class Limits(_Model):
    """How the work is done."""

    jobs: Annotated[int, Field(ge=1, le=1024)] | None = Field(None, description="Users at once.")
    settle: str = Field("2m", description="The listing must have stayed as it is for so long.")
    settle_limit: str = Field(
        "6h", description="An incomplete recording is taken after so long without a change."
    )
    accept_loss: bool = False
    overwrite: bool = False


class Document(_Model):
    """A job of recpipe."""

    version: Literal[1]
    source: str = Field(min_length=1, description="A folder, s3://bucket/prefix or NAME:prefix of a store.")
    selection: Selection = Selection()
    outputs: Outputs = Outputs()
    names: str = Field("", description="The pattern of --name; empty for the default names.")
    targets: tuple[Place | Vod, ...] = Field(min_length=1, description="One place, and VOD services.")
    notify: tuple[Notify, ...] = ()
    delete_source: Literal["never", "after-verify"] = "never"
    limits: Limits = Limits()


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
    try:
        document = Document.model_validate_json(text)
    except ValidationError as error:
        raise CommandError(f"{source} is no job: {'; '.join(_faults(error))}.") from None
    faults: list[str] = []
    job = _job(document, folder, faults)
    if job is None:
        raise CommandError(f"{source} is no job: {'; '.join(faults)}.")
    return job


def _faults(error: ValidationError) -> list[str]:
    found: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False):
        # Which of the kinds of a target was tried is no part of the document.
        where = ".".join(str(part) for part in fault["loc"] if part not in {"Place", "Vod"})
        what = fault["msg"].removesuffix(".")
        if fault["type"] == "extra_forbidden":
            what = "is not known"
        elif fault["type"] == "missing":
            what = "is missing"
        else:
            what = f"{what[0].lower()}{what[1:]}"
        found.setdefault(where, f"{where}: {what}" if where else what)
    return list(found.values())[:MOST_FAULTS]


class _Told:
    """Collects what the values of fields refuse."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults

    def get(self, where: str, make: Any, *given: Any) -> Any:
        try:
            return make(*given)
        except (CommandError, ValueError) as error:
            self.faults.append(f"{where}: {str(error).rstrip('.')}")
            return None


def _job(document: Document, folder: Path, faults: list[str]) -> Job | None:
    told = _Told(faults)
    places = [target for target in document.targets if isinstance(target, Place)]
    if len(places) != 1:
        faults.append(f"targets: expected exactly one with a place, found {len(places)}")
    chosen, limits = document.selection, document.limits
    task = chosen.volcengine
    parsed = (
        told.get("selection.volcengine", lambda: Task(task.task_id, task.room_id, task.pattern))
        if task
        else None
    )
    start = told.get("selection.start", Moment.parse, chosen.start) if chosen.start else None
    end = told.get("selection.end", Moment.parse, chosen.end) if chosen.end else None
    options = told.get("outputs", _options, document, start, end)
    hooks = [
        told.get(f"notify.{number}", _webhook, each, folder) for number, each in enumerate(document.notify)
    ]
    settle = told.get("limits.settle", duration_ms, limits.settle)
    latest = told.get("limits.settle_limit", duration_ms, limits.settle_limit)
    extras = told.get("targets", _extras, places[0]) if places else None
    if faults:
        return None
    return Job(
        source=document.source,
        place=places[0].place,
        options=options,
        task=parsed,
        extras=extras,
        vod=tuple(dict.fromkeys(target.vod for target in document.targets if isinstance(target, Vod))),
        webhooks=tuple(hooks),
        delete_source=document.delete_source == "after-verify",
        limits=JobLimits(limits.jobs, settle, latest, limits.accept_loss, limits.overwrite),
    )


def _options(document: Document, start: Moment | None, end: Moment | None) -> Options:
    asked = document.outputs
    wanted = Options(
        uids=tuple(dict.fromkeys(document.selection.uids)),
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


def _webhook(asked: Notify, folder: Path) -> Webhook:
    secrets = (
        *(SecretInEnvironment(name) for name in asked.secret_env),
        *(SecretInFile(folder / name) for name in asked.secret_file),
    )
    return Webhook(Url.parse(asked.url), secrets, folder / asked.ca_bundle if asked.ca_bundle else None)


def _extras(place: Place) -> Extras:
    for name, value in place.metadata.items():
        if not (
            name.isascii() and name == name.lower() and name.replace("-", "").isalnum() and value.isascii()
        ):
            raise ValueError(
                "metadata has names of lower-case ASCII letters, digits and '-', and ASCII values"
            )
    if place.kms_key and place.encryption != "aws:kms":
        raise ValueError('kms_key is given without "encryption": "aws:kms"')
    return Extras(
        metadata=place.metadata or None,
        tags=place.tags or None,
        storage_class=place.storage_class,
        encryption=place.encryption,
        kms_key=place.kms_key,
    )
