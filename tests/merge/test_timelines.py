"""Where everything of a scenario lies on UTC, as text: a change to the timeline is read in its diff."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.model import ticks
from pipeline.model.timeline import arrange
from pipeline.sources.folder import Folder
from pipeline.steps.arrange import look
from pipeline.steps.find import find
from tests.model import slicing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made

CUT_BY_BYTES = {"truncated-slice"}
"""Where such a slice ends is the encoder's choice."""
FIXTURES = sorted(
    path.stem
    for path in (Path(__file__).parents[2] / "fixtures").glob("*.toml")
    if path.stem not in CUT_BY_BYTES
)


@pytest.mark.parametrize("name", FIXTURES)
def test_the_timeline_of_a_scenario_is_the_one_that_was_reviewed(
    name: str,
    made: Callable[[str], Made],
    golden: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recording = made(name)
    monkeypatch.setattr(slicing, "T0", ticks.from_ms(recording.scenario.start_ms))
    folder = Folder(recording.place)
    found = [look(folder, inventory) for inventory in find(folder).inventories]
    text = "\n".join(slicing.as_text(arrange(user)) for each in found for user in each.users)
    golden(f"merge/golden/timelines/{name}.txt", re.sub(r"\S+_e_(?=\S+\.)", "", text))
