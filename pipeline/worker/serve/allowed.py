"""What a job may name that somebody posts: stores, folders and receivers that the operator has listed.

A posted job comes over the network. It says which recording goes where, and nothing that would make a worker
reach an address, use a secret or read a file that the operator did not have in mind. Everything that is wrong
with it is told at once.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import CommandError, ForbiddenError
from pipeline.job.spec_json import parse_document, parse_job
from pipeline.notify.webhook import Url
from pipeline.worker.serve.places import Places

WHAT = "what was posted"
WHERE = "[operations] of recpipe.toml"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook that a job may name by its URL alone; its secrets are the operator's.

    Attributes:
        url: in full.
        notify: the entry of a job's ``notify`` that stands for it.
    """

    url: Url
    notify: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a posted job may name.

    Attributes:
        sources: where recordings may lie.
        targets: where files may go.
        receivers: who may be told.
        vod: names of the VOD services that may get files.
        deletes: whether slices may be removed.
        overwrites: whether files may be replaced that no run of the job has made.
    """

    sources: Places = field(default_factory=lambda: Places(WHERE))
    targets: Places = field(default_factory=lambda: Places(WHERE))
    receivers: tuple[Receiver, ...] = ()
    vod: frozenset[str] = frozenset()
    deletes: bool = False
    overwrites: bool = False


def permitted(text: str, allowed: Allowed) -> str:
    """A posted job as it goes into the queue: its folders absolute, the secrets of its receivers filled in.

    Args:
        text: JSON.
        allowed: what it may name.

    Raises:
        CommandError: it is no job.
        ForbiddenError: it names what it may not; all of it, each with its path.
    """
    try:
        found = json.loads(text)
        clean = json.dumps(found)  # what is checked is what is used, whatever stood there twice
    except (ValueError, RecursionError):
        raise CommandError(f"{WHAT} is no JSON: expected a job, as recpipe run takes it.") from None
    document = parse_document(clean, WHAT, strict=True)
    faults: list[str] = []
    found["source"] = _place(document.source, "source", allowed.sources, faults)
    for number, target in enumerate(found["targets"]):
        where = f"targets.{number}"
        if "place" in target:
            target["place"] = _place(target["place"], f"{where}.place", allowed.targets, faults)
        elif target["vod"] not in allowed.vod:
            faults.append(f"{where}.vod: {WHERE} does not list this VOD service")
    found["notify"] = [
        _notify(entry, f"notify.{number}", allowed, faults)
        for number, entry in enumerate(found.get("notify", []))
    ]
    if document.delete_source != "never" and not allowed.deletes:
        faults.append(f"delete_source: {WHERE} does not let posted jobs remove slices")
    if document.limits.overwrite and not allowed.overwrites:
        faults.append(f"limits.overwrite: {WHERE} does not let posted jobs replace what others made")
    found["folder"] = _folder(document.folder, allowed.targets, faults)
    if faults:
        raise ForbiddenError("; ".join(faults) + ".")
    made = json.dumps(found)
    parse_job(made, WHAT, Path(found["folder"]))
    return made


def _place(address: str, where: str, places: Places, faults: list[str]) -> str:
    """The address as the queue gets it; a fault is told, and then it does not matter."""
    try:
        return places.checked(address)
    except CommandError as error:
        faults.append(f"{where}: {str(error).rstrip('.')}")
    return address


def _folder(folder: str, places: Places, faults: list[str]) -> str:
    """Where a posted job's own files lie: below the root, or nowhere."""
    if places.root is None and not folder:
        return os.devnull  # below it there is no file
    try:
        return str(places.below(Path(folder)))
    except CommandError as error:
        faults.append(f"folder: {error}")
        return os.devnull


def _notify(entry: dict[str, Any], where: str, allowed: Allowed, faults: list[str]) -> dict[str, Any]:
    if set(entry) != {"url"}:
        faults.append(f"{where}: a posted job gives the url alone, for its secrets are in {WHERE}")
        return entry
    try:
        url = Url.parse(entry["url"])
    except CommandError as error:
        faults.append(f"{where}.url: {str(error).rstrip('.')}")
        return entry
    for receiver in allowed.receivers:
        if receiver.url == url:
            return receiver.notify
    faults.append(f"{where}.url: {WHERE} does not list this receiver")
    return entry
