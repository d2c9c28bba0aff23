"""recpipe: cloud call recordings become verified MP4s.

The names below are imported when they are first used (PEP 562), so that ``import pipeline`` loads no codec.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.api import compose, inspect, merge, plan, snapshot, stage, verify
    from pipeline.errors import ExitCode, RecpipeError
    from pipeline.job.works import Done
    from pipeline.layout.canvas import Canvas
    from pipeline.layout.composing import Composing
    from pipeline.layout.composite import ComposeOptions
    from pipeline.layout.encoding import Encoding, SoundEncoding
    from pipeline.layout.looks import Looks
    from pipeline.layout.scene import Scene
    from pipeline.layout.stage import Shot
    from pipeline.model.containers import Container
    from pipeline.model.inspection import Inspection
    from pipeline.model.manifest import Manifest
    from pipeline.model.options import (
        Align,
        By,
        Gaps,
        Missing,
        Moment,
        OnChange,
        Options,
        Screen,
        Tracks,
        Verify,
    )
    from pipeline.model.plan import Plan
    from pipeline.model.snapshots import SnapshotOptions
    from pipeline.model.verification import Verification
    from pipeline.vendors.layouts import Wish
    from pipeline.vendors.volcengine import Task

__version__ = "0.1.0"

__all__ = [
    "Align",
    "By",
    "Canvas",
    "ComposeOptions",
    "Composing",
    "Container",
    "Done",
    "Encoding",
    "ExitCode",
    "Gaps",
    "Inspection",
    "Looks",
    "Manifest",
    "Missing",
    "Moment",
    "OnChange",
    "Options",
    "Plan",
    "RecpipeError",
    "Scene",
    "Screen",
    "Shot",
    "SnapshotOptions",
    "SoundEncoding",
    "Task",
    "Tracks",
    "Verification",
    "Verify",
    "Wish",
    "__version__",
    "compose",
    "inspect",
    "merge",
    "plan",
    "snapshot",
    "stage",
    "verify",
]

_HOMES = {
    "pipeline.api": ("compose", "inspect", "merge", "plan", "snapshot", "stage", "verify"),
    "pipeline.errors": ("ExitCode", "RecpipeError"),
    "pipeline.job.works": ("Done",),
    "pipeline.layout.canvas": ("Canvas",),
    "pipeline.layout.composing": ("Composing",),
    "pipeline.layout.composite": ("ComposeOptions",),
    "pipeline.layout.encoding": ("Encoding", "SoundEncoding"),
    "pipeline.layout.looks": ("Looks",),
    "pipeline.layout.scene": ("Scene",),
    "pipeline.layout.stage": ("Shot",),
    "pipeline.model.containers": ("Container",),
    "pipeline.model.inspection": ("Inspection",),
    "pipeline.model.manifest": ("Manifest",),
    "pipeline.model.options": (
        "Align",
        "By",
        "Gaps",
        "Missing",
        "Moment",
        "OnChange",
        "Options",
        "Screen",
        "Tracks",
        "Verify",
    ),
    "pipeline.model.plan": ("Plan",),
    "pipeline.model.snapshots": ("SnapshotOptions",),
    "pipeline.model.verification": ("Verification",),
    "pipeline.vendors.layouts": ("Wish",),
    "pipeline.vendors.volcengine": ("Task",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # to a type checker it would make every name exist

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(_HOME[name]), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
