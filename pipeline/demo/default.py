"""The scenario of `recpipe demo`, shipped beside this file."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from pipeline.demo.scenario_toml import parse

if TYPE_CHECKING:
    from pipeline.demo.scenario import Scenario


def meeting() -> Scenario:
    """Three people for 75 seconds: a mute, a late camera, a rejoin, a late joiner, a turned phone."""
    return parse(files("pipeline.demo").joinpath("meeting.toml").read_text("utf-8"))
