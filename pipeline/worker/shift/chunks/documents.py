"""The document of a job that makes a share of a composite: the job that it is of, and which pieces. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pipeline.job.shares import Share

VERSION = 1
KIND = "piece"


def document_of(document: str, share: Share) -> str:
    """The document of a share.

    Args:
        document: of the job that joins it.
        share: which pieces.
    """
    return json.dumps({"version": VERSION, "kind": KIND, "of": json.loads(document), **asdict(share)})


def share_of(document: str) -> tuple[str, Share] | None:
    """The document of the job, and the share; None where a document is of no share."""
    try:
        found: dict[str, Any] = json.loads(document)
        if (found.get("version"), found.get("kind")) != (VERSION, KIND):
            return None
        return json.dumps(found["of"]), share_from(found)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def share_from(found: dict[str, Any]) -> Share:
    """A share as `asdict` and JSON have left it, beside whatever else."""
    return Share(found["work"], found["file"], found["identity"], tuple(found["names"]))
