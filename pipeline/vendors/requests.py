"""Requests for composites as the clouds' services take them: whose one is, and what it asks for in our words.

The text is bounded, and nothing that it names is opened. What a field means is told in `request.py` of each
vendor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import CommandError
from pipeline.vendors.agora import request as agora
from pipeline.vendors.fields import Fields
from pipeline.vendors.strict_json import read_object
from pipeline.vendors.told import Told
from pipeline.vendors.trtc import request as trtc
from pipeline.vendors.volcengine import request as volcengine

if TYPE_CHECKING:
    from pipeline.layout.composing import Composing

MOST_BYTES = 1_000_000

MARKS: dict[str, frozenset[str]] = {
    "agora": agora.MARKS,
    "trtc": trtc.MARKS,
    "volcengine": volcengine.MARKS,
}
"""Fields of a document that only this vendor's requests have."""

TITLES = {"agora": "Agora", "trtc": "TRTC", "volcengine": "Volcengine"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        vendor: whose request it is: ``agora``, ``trtc`` or ``volcengine``.
        composing: what it asks for.
        notes: a sentence for each field that means nothing here or is done otherwise.
    """

    vendor: str
    composing: Composing
    notes: tuple[str, ...]


def parse_request(text: str, where: str, version: str = "") -> Asked:
    """Read a request to Agora (``start``), TRTC (``CreateCloudRecording``) or Volcengine (``StartRecord``).

    Args:
        text: JSON, the body that would be posted.
        where: it was read, for sentences.
        version: of Volcengine's API, such as ``2023-11-01``; empty where the document tells it.

    Raises:
        CommandError: it is none, or fields of it are wrong: all of them, each with its path, what is allowed
            and what it is.
    """
    document = _document(text, where)
    vendor = _whose(document, where)
    told = Told()
    whole = Fields(document, "", told)
    if vendor == "volcengine":
        composing = volcengine.composing(whole, version)
    elif version:
        raise CommandError(f"{where} is a request to {TITLES[vendor]}, only Volcengine's have a version.")
    else:
        composing = (agora if vendor == "agora" else trtc).composing(whole)
    told.end(where, TITLES[vendor])
    return Asked(vendor, composing, tuple(dict.fromkeys(told.notes)))


def _whose(document: dict[str, Any], where: str) -> str:
    found = [vendor for vendor, marks in MARKS.items() if marks & document.keys()]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and of ".join(TITLES[vendor] for vendor in found)
        raise CommandError(f"{where} has fields of {names}: give the request of one.")
    raise CommandError(
        f"{where} is no request that is known: Agora's has clientRequest, TRTC's MixLayoutParams, "
        "MixTranscodeParams or RecordParams, Volcengine's Layout, Encode, TargetStreams or StorageConfig."
    )


def _document(text: str, where: str) -> dict[str, Any]:
    """The JSON object in a text, within bounds; numbers that are not whole as `Decimal`."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise CommandError(f"{where} is too large for a request: at most {MOST_BYTES} bytes.")
    try:
        return read_object(text.removeprefix("\ufeff"))
    except ValueError as fault:
        raise CommandError(f"{where} is no request: it {fault}.") from None
