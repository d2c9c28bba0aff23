"""Ready: what a job needs, asked for within seconds, before anything is waited for or made.

Everything is asked, so that one run tells all that is wrong.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CommandError, NoSpaceError, RecpipeError
from pipeline.journal.journal import FOLDER
from pipeline.sources.open import open_source
from pipeline.steps.deliver import Target
from pipeline.steps.publish import prepare
from pipeline.storage.place import place_of
from pipeline.storage.retrying import Patience
from pipeline.storage.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.job.spec import Job
    from pipeline.notify.webhook import Webhook
    from pipeline.publish.protocol import Vod
    from pipeline.sources.protocol import Source
    from pipeline.storage.below import Below

QUICK = Patience(seconds=8.0)
"""For each question: who does not answer by then is told at once."""
PROBE = f"{FOLDER}/probe"
"""Always the same, so that one which a killed run has left is removed by the next."""
LEAST_FREE = 256 << 20
"""Bytes of the temporary folder; what the job needs more is asked when it is known."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a job works with.

    Attributes:
        source: where the slices are.
        origin: the source's store, for removing them; None where the source is a folder.
        place: where the files go.
        vod: the VOD services, by name.
    """

    source: Source
    origin: Below | None
    place: Path | Target
    vod: Mapping[str, Vod]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to what a job needs, and what is wrong; None where nothing is."""

    what: str
    error: RecpipeError | None


def asked(job: Job, config: str | None, environ: Mapping[str, str]) -> tuple[Asked, ...]:
    """Ask everything once, quickly.

    Args:
        job: what is wanted.
        config: the file that names stores and services; None for where it is usually looked for.
        environ: the environment.
    """
    questions: list[tuple[str, Callable[[], object]]] = [
        (f"read {job.source}", partial(_read, job, config, environ)),
        (f"write {job.place}", partial(_write, job, config, environ)),
        ("temporary folder", _room),
        *((f"reach {name}", partial(_reach, name, config, environ)) for name in job.vod),
        *((f"sign for {webhook.name}", partial(_secrets, webhook, environ)) for webhook in job.webhooks),
    ]
    return tuple(Asked(what, _error_of(ask)) for what, ask in questions)


def _error_of(ask: Callable[[], object]) -> RecpipeError | None:
    try:
        ask()
    except RecpipeError as error:
        return error
    return None


def _read(job: Job, config: str | None, environ: Mapping[str, str]) -> None:
    where = place_of(job.source, config, environ, QUICK)
    if not isinstance(where, Path):
        next(iter(where.list("")), None)
        return
    if job.delete_source:
        raise CommandError(
            f"delete_source is for stores, and {job.source} is a folder: leave it out and remove the folder "
            "when the job is done."
        )
    open_source(job.source, job.task, config, environ).objects()


def _write(job: Job, config: str | None, environ: Mapping[str, str]) -> None:
    where = place_of(job.place, config, environ, QUICK)
    if isinstance(where, Path):
        prepare(where)
        return
    where.put(PROBE, b"recpipe asks whether it may write here; this may be removed\n")
    where.delete(PROBE)


def _room() -> None:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < LEAST_FREE:
        raise NoSpaceError(
            f"{tempfile.gettempdir()} has {free // 1_000_000} MB free, where temporary files go: free some "
            "space, or set TMPDIR to another place."
        )


def _reach(name: str, config: str | None, environ: Mapping[str, str]) -> None:
    _open_vod(name, config, environ).check()


def _secrets(webhook: Webhook, environ: Mapping[str, str]) -> None:
    for secret in webhook.secrets:
        secret.read(environ)


def _open_vod(name: str, config: str | None, environ: Mapping[str, str]) -> Vod:
    from pipeline.publish.open import open_vod  # with what few jobs need

    return open_vod(name, read_settings(config, environ), environ)


def made_ready(job: Job, config: str | None, environ: Mapping[str, str]) -> Ready:
    """Open all that a job works with.

    Raises:
        RecpipeError: the first thing that is wrong, with all others in its sentence.
    """
    wrong = [each.error for each in asked(job, config, environ) if each.error is not None]
    if wrong:
        first, *others = wrong
        raise type(first)(" ".join([_ended(str(first)), *(f"Besides, {_ended(str(e))}" for e in others)]))
    origin, to = place_of(job.source, config, environ), place_of(job.place, config, environ)
    return Ready(
        source=open_source(job.source, job.task, config, environ),
        origin=None if isinstance(origin, Path) else origin,
        place=to if isinstance(to, Path) else Target(job.place, to, job.extras),
        vod={name: _open_vod(name, config, environ) for name in job.vod},
    )


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
