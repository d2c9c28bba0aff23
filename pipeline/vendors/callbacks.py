"""Whose callbacks are understood, by the route on which they come: the choice between grammars by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.vendors.agora import events as agora
from pipeline.vendors.trtc import events as trtc
from pipeline.vendors.trtc import kit_events as tuicallkit
from pipeline.vendors.volcengine import events as volcengine

if TYPE_CHECKING:
    from pipeline.vendors.events import Grammar

__all__ = ["GRAMMARS"]

GRAMMARS: dict[str, Grammar] = {
    "agora": agora,
    "trtc": trtc,
    "tuicallkit": tuicallkit,
    "volcengine": volcengine,
}
