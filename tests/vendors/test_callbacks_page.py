"""The page about callbacks names every event that is known, every phase, and the replies as they are sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.vendors.agora import events as agora
from pipeline.vendors.events import Phase
from pipeline.vendors.trtc import events as trtc
from pipeline.vendors.trtc import kit_events
from pipeline.vendors.volcengine import events as volcengine

PAGE = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text(encoding="utf-8")


def first_cells(section: str) -> str:
    """What stands left in the table of a section."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return "\n".join(re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE))


@pytest.mark.parametrize(("section", "kinds"), [("Agora", agora.KINDS), ("TRTC", trtc.KINDS)])
def test_every_number_of_an_event_is_on_the_page(section: str, kinds: frozenset[int]) -> None:
    """Numbers of statuses are in code, levels behind a word."""
    cells = re.sub(r"`[^`]*` \d+|level \d+|MP4", "", first_cells(section))
    assert {int(number) for number in re.findall(r"\d+", cells)} == kinds


def test_every_word_of_an_event_is_on_the_page() -> None:
    words = set(re.findall(r"\b[A-Z]\w+", first_cells("Volcengine and BytePlus")))
    assert words == volcengine.KINDS


def test_every_command_of_the_kits_is_on_the_page() -> None:
    commands = set(re.findall(r"`([^`]*)`", first_cells("TUICallKit and the live kit")))
    assert commands == {kit_events.CALL, kit_events.LIVE, kit_events.ENDED}


def test_every_phase_is_on_the_page() -> None:
    assert set(re.findall(r"`([a-z]+)`", first_cells("From bytes to an event"))) == set(Phase)


@pytest.mark.parametrize("reply", [agora.REPLY, trtc.REPLY, kit_events.REPLY, volcengine.REPLY], ids=ascii)
def test_every_reply_is_on_the_page(reply: bytes) -> None:
    assert f"Reply: `{reply.decode()}`" in PAGE
