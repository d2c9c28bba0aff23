"""What a job in a queue is asked for, in a few words; whatever stands there as its document. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a job's document; empty where it says nothing that can be understood.

    Attributes:
        source: where the recording lies.
        place: where the files go.
        kind: of its outputs.
    """

    source: str = ""
    place: str = ""
    kind: str = ""


def asked_of(document: str) -> Asked:
    """What a document asks for.

    >>> asked_of('{"source": "calls:room7", "targets": [{"vod": "main"}, {"place": "vod:room7"}]}')
    Asked(source='calls:room7', place='vod:room7', kind='merge')
    >>> asked_of('{"kind": "share", "of": {"source": "calls:room7"}}')
    Asked(source='calls:room7', place='', kind='share')
    >>> asked_of("no JSON"), asked_of("[1]")
    (Asked(source='', place='', kind=''), Asked(source='', place='', kind=''))
    """
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        return Asked()
    if not isinstance(found, dict):
        return Asked()
    if isinstance(found.get("of"), dict):  # a job that makes a part of another
        return replace(_asked(found["of"]), kind=_text(found.get("kind")))
    return _asked(found)


def _asked(found: dict[str, Any]) -> Asked:
    targets = found.get("targets")
    places = [
        each["place"]
        for each in (targets if isinstance(targets, list) else [])
        if isinstance(each, dict) and isinstance(each.get("place"), str)
    ]
    outputs = found.get("outputs")
    kind = outputs.get("kind", "merge") if isinstance(outputs, dict) else "merge"
    return Asked(_text(found.get("source")), places[0] if places else "", _text(kind))


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
