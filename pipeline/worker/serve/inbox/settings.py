"""The table ``[serve]`` of ``recpipe.toml``: whose callbacks are taken, and which of them starts which job.

The file names where secrets are and holds none. Reading the files of jobs is the only effect here; what is
wrong is told at once, each fault with its path, and no sentence repeats what may be a secret.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import CommandError
from pipeline.job.faults import faults_of
from pipeline.job.spec_json import MOST_BYTES, parse_job
from pipeline.model.durations import duration_ms
from pipeline.storage.address import StoreAddress
from pipeline.vendors.events import Phase
from pipeline.worker.serve.inbox import filling
from pipeline.worker.serve.inbox.rules import STARTS, USUAL, Rule
from pipeline.worker.serve.places import Places
from pipeline.worker.watch import LEAST_EVERY_MS, SOURCE, document_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.job.spec import Job
    from pipeline.storage.settings import Settings

ROUTES = ("agora", "trtc", "tuicallkit", "volcengine", "s3")
_ROUTES = {"agora": ("agora",), "trtc": ("trtc", "tuicallkit"), "volcengine": ("volcengine",)}
"""By which events of a vendor come; those of stores name a bucket, and no app."""
LEAST_SECRET, MOST_SECRET = 6, 1024
"""Bytes. Vendors' consoles make short ones."""
_PLACE = re.compile(r"env:(?P<variable>[A-Za-z_][A-Za-z0-9_]*)|file:(?P<path>.+)", re.ASCII)
TABLE = "[serve] of recpipe.toml"
_NAME = r"^[a-z0-9][a-z0-9\-]{0,62}$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _App(_Model):
    """An entry of ``[[serve.apps]]``."""

    route: Literal["agora", "trtc", "tuicallkit", "volcengine", "s3"]
    app: str = Field(default="default", min_length=1, max_length=128)
    signed_by: Annotated[list[str], Field(min_length=1, max_length=2)]


class _Rule(_Model):
    """An entry of ``[[serve.rules]]``."""

    name: Annotated[str, Field(pattern=_NAME)]
    vendor: Literal["agora", "trtc", "volcengine", "s3"]
    app: str = ""
    on: list[Literal["ready", "partial", "settling", "stopped", "failed"]] = Field(
        default=[], max_length=len(STARTS)
    )
    job: str | dict[str, Any]
    deadline: str = "24h"
    priority: int = Field(default=0, ge=-1000, le=1000)


class _Watch(_Model):
    """An entry of ``[[serve.watches]]``."""

    store: str
    job: str | dict[str, Any]
    settle: str = "5m"
    every: str = "10m"
    deadline: str = "24h"


class _Serve(_Model):
    """The table ``[serve]``."""

    root: str | None = None
    apps: list[_App] = []
    rules: list[_Rule] = []
    watches: list[_Watch] = []


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where a secret is: an environment variable, or a file (white space at its ends does not count)."""

    variable: str = ""
    path: Path | None = None

    def read(self, environ: Mapping[str, str]) -> bytes:
        """Its bytes; raises CommandError where there is none."""
        if self.path is None:
            if self.variable not in environ:
                raise CommandError(f"{self.variable} is not set: expected a secret in the environment")
            found, where = environ[self.variable].encode("utf-8", "surrogateescape"), self.variable
        else:
            where = str(self.path)
            try:
                with self.path.open("rb") as file:
                    found = file.read(MOST_SECRET + 1).strip()
            except OSError as error:
                raise CommandError(
                    f"{where} cannot be read ({error.strerror}): expected a secret in it"
                ) from error
        if not LEAST_SECRET <= len(found) <= MOST_SECRET:
            raise CommandError(f"{where} holds no secret: expected {LEAST_SECRET} to {MOST_SECRET} bytes")
        return found


@dataclass(frozen=True, slots=True)
class Watched:
    """A store that is looked at for recordings that nobody announced.

    Attributes:
        store: its address, or a prefix of it.
        template: the job of each recording, as `pipeline.worker.watch.Watch` takes it.
        settle_ms: how long nothing may have come to a recording.
        every_ms: between two looks.
        deadline_ms: from finding it to when its job should be done.
    """

    store: str
    template: Mapping[str, Any]
    settle_ms: int
    every_ms: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """What ``[serve]`` says.

    Attributes:
        apps: where the secrets of each app are, by route; a route without any is off.
        rules: by name, in their order.
        watches: what is looked at besides.
        places: that jobs may name: all stores that have a name, and folders below the root.
        config: the file, for messages; "" where there is none.
    """

    apps: Mapping[str, Mapping[str, tuple[SecretPlace, ...]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    rules: Mapping[str, Rule] = field(default_factory=lambda: MappingProxyType({}))
    watches: tuple[Watched, ...] = ()
    places: Places = field(default_factory=lambda: Places(TABLE))
    config: str = ""

    @property
    def unheard(self) -> tuple[str, ...]:
        """Rules that no callback starts, because no app of their vendor is signed for."""
        return tuple(
            rule.name
            for rule in self.rules.values()
            if rule.vendor in _ROUTES and not any(self.apps.get(route) for route in _ROUTES[rule.vendor])
        )

    def secrets(self, environ: Mapping[str, str]) -> dict[str, dict[str, tuple[bytes, ...]]]:
        """The secrets by route and app.

        Raises:
            CommandError: one is not there; all of them in one sentence.
        """
        wrong: list[str] = []
        found: dict[str, dict[str, tuple[bytes, ...]]] = {}
        for route, apps in self.apps.items():
            for app, places in apps.items():
                secrets = []
                for place in places:
                    try:
                        secrets.append(place.read(environ))
                    except CommandError as error:
                        wrong.append(str(error))
                found.setdefault(route, {})[app] = tuple(secrets)
        if wrong:
            raise CommandError(f"{'; '.join(dict.fromkeys(wrong))}.")
        return found


def serve_settings(settings: Settings) -> ServeSettings:
    """The table of a file.

    Raises:
        CommandError: a field that is unknown, missing or of another form, a job that is none, or one that
            names what it may not; all of them at once with their paths.
    """
    try:
        table = _Serve.model_validate(dict(settings.serve))
    except ValidationError as error:
        faults = "; ".join(f"serve.{fault}" for fault in faults_of(error))
        raise CommandError(f"{settings.source}: {faults}.") from None
    folder = Path(settings.source).parent.absolute()
    stores = tuple(StoreAddress(name, "", "") for name in settings.stores)
    root = folder / table.root if table.root else None
    read = _Reader(folder, Places(TABLE, stores, root, absolute=True))
    if root is not None and not root.is_dir():
        read.wrong.append("serve.root: it is no folder")
    apps = read.apps(table.apps)
    rules = read.rules(table.rules, apps)
    watches = tuple(read.watches(table.watches))
    if read.wrong:
        raise CommandError(f"{settings.source}: {'; '.join(read.wrong)}.")
    return ServeSettings(
        MappingProxyType(apps), MappingProxyType(rules), watches, read.places, settings.source
    )


@dataclass(slots=True)
class _Reader:
    """Collects what is wrong with apps and rules."""

    folder: Path
    places: Places
    wrong: list[str] = field(default_factory=list)

    def apps(self, written: list[_App]) -> dict[str, dict[str, tuple[SecretPlace, ...]]]:
        found: dict[str, dict[str, tuple[SecretPlace, ...]]] = {}
        for number, each in enumerate(written):
            where = f"serve.apps.{number}"
            places = [_PLACE.fullmatch(text) for text in each.signed_by]
            if not all(places):
                self.wrong.append(
                    f"{where}.signed_by: expected env:NAME or file:PATH, which say where the secret is, and "
                    "never the secret itself"
                )
            if each.app in found.get(each.route, {}):
                self.wrong.append(f"{where}: route {each.route} has that app twice")
            found.setdefault(each.route, {})[each.app] = tuple(
                SecretPlace(place["variable"] or "", self.folder / place["path"] if place["path"] else None)
                for place in places
                if place
            )
        return found

    def rules(self, written: list[_Rule], apps: Mapping[str, Mapping[str, object]]) -> dict[str, Rule]:
        found: dict[str, Rule] = {}
        for number, each in enumerate(written):
            where = f"serve.rules.{number} ({each.name})"
            signed = {app for route in _ROUTES.get(each.vendor, ()) for app in apps.get(route, ())}
            if each.app and signed and each.app not in signed:
                self.wrong.append(f'{where}: app "{each.app}" has no entry in [[serve.apps]]')
            if each.name in found:
                self.wrong.append(f"{where}: there is a rule {each.name} already")
            try:
                found[each.name] = self._rule(each)
            except CommandError as error:
                self.wrong.append(f"{where}: {str(error).rstrip('.')}")
        return found

    def watches(self, written: list[_Watch]) -> Iterator[Watched]:
        for number, each in enumerate(written):
            try:
                yield self._watched(each)
            except CommandError as error:
                self.wrong.append(f"serve.watches.{number}: {str(error).rstrip('.')}")

    def _watched(self, written: _Watch) -> Watched:
        template = self._document(written.job)
        if template.get("source") != SOURCE:
            raise CommandError(f'job.source: expected "{SOURCE}", which stands for each recording')
        job = parse_job(json.dumps(template), "its job", self.folder)
        if unknown := filling.BRACES.search(job.place.replace("{name}", "")):
            raise CommandError(
                f"job.targets: {unknown[0]} is not known of what nobody announced, only {{name}}"
            )
        document = document_of(template, written.store)
        for address in (written.store, next(t["place"] for t in document["targets"] if "place" in t)):
            self.places.checked(address)
        settle_ms, every_ms, deadline_ms = map(duration_ms, (written.settle, written.every, written.deadline))
        if every_ms < LEAST_EVERY_MS:
            raise CommandError("every: expected 1s or more")
        return Watched(written.store, MappingProxyType(template), settle_ms, every_ms, deadline_ms)

    def _rule(self, written: _Rule) -> Rule:
        document = self._document(written.job)
        wrong = list(filling.faults(document))
        if wrong:
            raise CommandError(f"job.{'; job.'.join(wrong)}")
        template = filling.Template(json.dumps(document))
        job = self._tried(template)
        return Rule(
            name=written.name,
            vendor=written.vendor,
            app=written.app,
            phases=frozenset(map(Phase, written.on)) or USUAL,
            template=template,
            limit_ms=job.limits.settling.limit_ms,
            deadline_ms=duration_ms(written.deadline),
            priority=written.priority,
        )

    def _document(self, written: str | dict[str, Any]) -> dict[str, Any]:
        """The job as it is written, with the folder of its own files."""
        if isinstance(written, str):
            path = self.folder / written
            try:
                with path.open("rb") as file:
                    text = file.read(MOST_BYTES + 1)
                document = json.loads(text)
            except OSError as error:
                raise CommandError(f"job: {path} cannot be read ({error.strerror})") from error
            except (ValueError, RecursionError):
                raise CommandError(f"job: {path} holds no JSON") from None
            base = path.parent
        else:
            document, base = json.loads(json.dumps(written, default=str)), self.folder
        if not isinstance(document, dict):
            raise CommandError("job: expected a table")
        document["folder"] = str(base / str(document.get("folder", "")))  # workers run elsewhere
        return document

    def _tried(self, template: filling.Template) -> Job:
        """The job of an event that tells everything; raises CommandError where it is none, or may not be."""
        job, other = (
            parse_job(template.filled(values), "its job", self.folder)
            for values in (filling.SAMPLE, filling.SAMPLE | {"task": "other", "folder": "other"})
        )
        for field_, address in (("source", job.source), ("targets", job.place)):
            try:
                self.places.checked(address)
            except CommandError as error:
                raise CommandError(f"job.{field_}: {error}") from None
        if job.place == other.place:
            raise CommandError(
                "job.targets: each recording needs a place of its own: put {task} or {folder} into it, or "
                "{name} where the source has one of them"
            )
        return job
