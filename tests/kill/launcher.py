"""``python -m tests.kill.launcher``: `recpipe` under circumstances that a test chooses; else nothing differs.

They are one JSON document in the variable ``CIRCUMSTANCES``; see `Circumstances`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self
from unittest.mock import patch

from pipeline.__main__ import main

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.storage.profile import Parts

VARIABLE = "RECPIPE_TEST_CIRCUMSTANCES"
CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
"""Audit events of what is done to a folder (Python library reference, "Audit events table")."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What differs from a process that a user starts.

    Attributes:
        part: bytes of a part of an upload, and over which files leave in parts; 0 for the usual.
        lease_ms: how long a runner may be silent, and `margin_ms`; 0 for the usual.
        margin_ms: by how much the clocks of two machines may differ.
        boot: a file with the id of this machine's start; "" for the true one.
        ahead_s: by how much this machine's clock is ahead.
        haste: what failed is tried again after shorter waits, and less is waited for at the end.
        patience_s: for how long a store is asked again with haste; 0 for the usual.
        folder: whose changes are counted; "" for none.
        strike: before which of these changes the process kills itself; 0 for none.
        tally: a file that gets one byte for each change.
    """

    part: int = 0
    lease_ms: int = 0
    margin_ms: int = 0
    boot: str = ""
    ahead_s: int = 0
    haste: bool = False
    patience_s: float = 0
    folder: str = ""
    strike: int = 0
    tally: str = ""

    @classmethod
    def told(cls) -> Self:
        """Those of this process."""
        return cls(**json.loads(os.environ[VARIABLE]))

    def environ(self) -> dict[str, str]:
        """For a process that is to have them."""
        return {VARIABLE: json.dumps(asdict(self))}


def _small_parts(part: int, patches: ExitStack) -> None:
    from pipeline.steps import stream
    from pipeline.storage import part_sizes, sending

    class Small(part_sizes.Sizes):
        @classmethod
        def within(cls, rules: Parts) -> part_sizes.Sizes:
            usual = part_sizes.Sizes.within(rules)
            return replace(usual, held=part // 2, first=part, step=part // 8)

    patches.enter_context(patch.object(stream, "Sizes", Small))
    patches.enter_context(patch.object(sending, "PART", part))


def _short_lease(given: Circumstances, patches: ExitStack) -> None:
    from pipeline.journal import lease, owner

    patches.enter_context(patch.object(lease, "LEASE_MS", given.lease_ms))
    patches.enter_context(patch.object(owner, "MARGIN_MS", given.margin_ms))


def _elsewhere(boot: str, patches: ExitStack) -> None:
    from pipeline.journal import here

    patches.enter_context(patch.object(here, "_BOOT", Path(boot)))


def _ahead(seconds: int, patches: ExitStack) -> None:
    import time

    import botocore.auth

    right, clock = botocore.auth.get_current_datetime, time.time_ns

    def wrong() -> datetime:
        when: datetime = right() + timedelta(seconds=seconds)
        return when

    patches.enter_context(patch("botocore.auth.get_current_datetime", wrong))
    patches.enter_context(patch("time.time_ns", lambda: clock() + seconds * 1_000_000_000))


def _haste(seconds: float, patches: ExitStack) -> None:
    from pipeline.storage import leaving
    from pipeline.storage import open as opening
    from pipeline.storage.retrying import Patience

    patches.enter_context(patch.object(leaving, "GRACE_SECONDS", 1.0))
    hasty = Patience(seconds or Patience().seconds, first=0.01, longest=0.05)
    patches.enter_context(patch.object(opening, "PATIENT", hasty))


def _watch(given: Circumstances) -> None:
    tally = os.open(given.tally, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    me, seen = os.getpid(), 0

    def changed(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event not in CHANGES or os.getpid() != me or not isinstance(arguments[0], str | bytes):
            return
        if not os.fsdecode(arguments[0]).startswith(given.folder):
            return
        seen += 1
        if seen == given.strike:
            os.kill(me, signal.SIGKILL)
        os.write(tally, b".")

    sys.addaudithook(changed)


def arrange(given: Circumstances, patches: ExitStack) -> None:
    """Make circumstances those of this process, until the patches end."""
    if given.part:
        _small_parts(given.part, patches)
    if given.lease_ms:
        _short_lease(given, patches)
    if given.boot:
        _elsewhere(given.boot, patches)
    if given.ahead_s:
        _ahead(given.ahead_s, patches)
    if given.haste:
        _haste(given.patience_s, patches)
    if given.folder:
        _watch(given)


def run() -> None:
    """The command, under the circumstances of this process."""
    with ExitStack() as patches:
        arrange(Circumstances.told(), patches)
        main()


if __name__ == "__main__":
    run()
