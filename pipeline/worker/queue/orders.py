"""From the text of a job to an order that any worker of the queue understands, wherever that runs."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.job.asked import identity
from pipeline.job.spec_json import parse_document, parse_job
from pipeline.storage.address import Folder, StoreAddress, parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.job.spec import Job
    from pipeline.storage.settings import Settings

_OWN = {"source", "selection", "outputs", "names", "targets"}
"""The fields that tell one work from another; the others tell how it is done and who hears of it."""
_LATE = re.compile(r"\+\d{12,15}$", re.ASCII)
"""UTC ms from 2001 to 9999, as events have them."""


def anchored(text: str, source: str, folder: Path, here: Path) -> str:
    """The same job with absolute paths: who does it stands in another folder.

    Args:
        text: JSON of a job.
        source: where it was read, for sentences.
        folder: to which the paths of its own files are relative.
        here: to which its source and its place are, if they are folders.

    Raises:
        CommandError: it is no job, or one of these is no address.
    """
    parse_job(text, source, folder)
    document = json.loads(text)
    document["source"] = anchored_address(document["source"], here)
    for target in document["targets"]:
        if "place" in target:
            target["place"] = anchored_address(target["place"], here)
    document["folder"] = str(here / folder / document.get("folder", ""))
    return json.dumps(document)


def anchored_address(address: str, here: Path) -> str:
    """The same place with an absolute path, if it is a folder. Raises CommandError for what is no address."""
    where = parse_address(address)
    return str(here / where.path) if isinstance(where, Folder) else address


def key_of(text: str, source: str) -> str:
    """The same for the same work, however it is written: one job of what is announced and found.

    Args:
        text: JSON of a job, as `anchored` leaves it.
        source: as there.

    Raises:
        CommandError: it is no job.
    """
    return f"job:{_digest(text, source, _OWN)}"


def first_key(key: str) -> str:
    """Of the job that was first of its work: late news make others, with keys of `late_key`.

    >>> first_key("job:1f"), first_key("job:1f+1795331017347"), first_key("a+b")
    ('job:1f', 'job:1f', 'a+b')
    """
    return _LATE.sub("", key)


def late_key(key: str, at_ms: int) -> str:
    """Of one more job of the same work, because of news of UTC ms; the same for the same news."""
    return f"{first_key(key)}+{at_ms}"


def work_of(text: str, source: str) -> str:
    """As `key_of`, but the same wherever the files go."""
    return _digest(text, source, _OWN - {"targets"})


def _digest(text: str, source: str, fields: set[str]) -> str:
    document = parse_document(text, source)
    own = document.model_dump(mode="json", include=fields)
    own["source"] = identity(own["source"])[0]
    for target in own.get("targets", ()):
        if "place" in target:
            target["place"] = identity(target["place"])[0]
    if own["outputs"]["kind"] == "compose":
        own["folder"] = document.folder  # its images lie there
    data = json.dumps(own, sort_keys=True).encode("ascii")
    return hashlib.sha256(data).hexdigest()[:40]


def faults_of_places(job: Job, settings: Settings, environ: Mapping[str, str], *, local: bool) -> list[str]:
    """What can be said against a job without asking anybody: stores and services that nobody has named.

    Raises CommandError for what is no address at all, as `anchored` does.

    Args:
        job: that is to be submitted.
        settings: of stores and services.
        environ: the environment.
        local: its workers have the same folders as we.
    """
    faults = []
    for address in (job.source, job.place):
        where = parse_address(address)
        if isinstance(where, StoreAddress):
            try:
                settings.store_of(where, environ)
            except CommandError as error:
                faults.append(str(error).rstrip("."))
        elif local and address == job.source and not where.path.is_dir():
            faults.append(f"{where} is no folder: give that of a recording")
    known = (
        f"{settings.source} has {', '.join(settings.vod) or 'none'}"
        if settings.source
        else "no recpipe.toml was found"
    )
    faults += [f"there is no VOD service {name!r}: {known}" for name in job.vod if name not in settings.vod]
    return faults
