"""Two runners of one job: whoever was taken over does nothing more that can be seen, and says so."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.kill.launcher import Circumstances
from tests.kill.scene import VARIANTS, ended, scene

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kill.scene import Call, Ended, Scene, Servers
    from tests.servers.faults import Fault, Request

KINDS = {variant.name: variant for variant in VARIANTS}
SHORT = Circumstances(lease_ms=1500, margin_ms=200)
USUAL = Circumstances()
SURELY_S = 60
AT_MOST_S = 3


@dataclass(slots=True)
class Gate:
    """Stops a process group when it asks for something; what it asked for is still done.

    Attributes:
        method: of the request.
        path: part of its path and query.
        beside: matches the path of a request that another process of the group waits for at that moment: one
            that was stopped between a look at its lease and the act after it has no store to tell it to stay.
        group: of the processes; 0 for none yet.
        reached: they are stopped.
    """

    method: str
    path: str
    beside: str = ""
    group: int = 0
    reached: bool = False
    _asked: threading.Event = field(default_factory=threading.Event)
    _beside: threading.Event = field(default_factory=threading.Event)

    def __call__(self, request: Request) -> Fault | None:
        if self.reached or not self.group:
            return None
        where = f"{request.path}?{request.query}"
        if request.method == self.method and self.path in where:
            self._asked.set()
            if self.beside:
                self._beside.wait(AT_MOST_S)  # it may have asked for all that it needs
            os.killpg(self.group, signal.SIGSTOP)
            self.reached = True
        elif self.beside and self._asked.is_set() and re.search(self.beside, where):
            self._beside.set()
            while not self.reached:
                time.sleep(0.005)
        return None


@contextmanager
def stopped(made: Scene, gate: Gate, given: Circumstances) -> Iterator[subprocess.Popen[str]]:
    """A run that sleeps since it asked for something."""
    made.more = gate
    with made.start(given, "first") as first:
        gate.group = first.pid
        try:
            deadline = time.monotonic() + SURELY_S
            while not gate.reached:
                assert first.poll() is None, first.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield first
        finally:
            with suppress(ProcessLookupError):
                os.killpg(first.pid, signal.SIGCONT)
            if first.poll() is None:
                ended(first)


def elsewhere(given: Circumstances, place: Path) -> Circumstances:
    """Another machine, as far as two runners can tell."""
    boot = place / "boot_id"
    boot.write_text("00000000-0000-4000-8000-000000000000\n")
    return replace(given, boot=str(boot))


def taken_over(made: Scene, given: Circumstances) -> Ended:
    """Run the job until it is not refused any more."""
    deadline = time.monotonic() + SURELY_S
    while (said := made.run(given, "second")).code == 6 and time.monotonic() < deadline:
        assert "another recpipe works on this job (process " in said.out, said
        assert "if it was killed" in said.out
    return said


@pytest.mark.parametrize(
    ("kind", "gate"),
    [
        pytest.param("rclone", Gate("PUT", "partNumber=2"), id="a part is under way", marks=pytest.mark.soak),
        pytest.param("rclone", Gate("PUT", "/tell.json"), id="about to publish"),
        pytest.param("rclone", Gate("PUT", "/manifest.json"), id="about to tell", marks=pytest.mark.soak),
        pytest.param("rclone", Gate("DELETE", "/room/"), id="removing the slices"),
        pytest.param(
            "swift", Gate("PUT", "/202_", r"/101_|uid_s_101"), id="putting a file, two users at once"
        ),
        pytest.param("volcengine", Gate("PUT", "/vod-"), id="handing over to a VOD service"),
    ],
)
def test_a_run_that_slept_past_its_lease_does_nothing_more(
    kind: str, gate: Gate, call: Call, servers: Servers, tmp_path: Path
) -> None:
    with scene(KINDS[kind], call, servers, tmp_path / "home") as made:
        with stopped(made, gate, SHORT) as first:
            second = taken_over(made, elsewhere(SHORT, tmp_path))
            assert second.code == 0, second
            made.assert_made_good()
            before = made.state()
            os.killpg(first.pid, signal.SIGCONT)
            said = ended(first)
        assert said.code == 6, said
        assert re.search("another recpipe (has|may have) taken this job over", said.out), said
        assert made.state() == before
        assert list((made.home / "tmp-first").iterdir()) == []
        assert "already done" in made.run(name="third").out


def test_a_run_that_sleeps_is_alive_on_its_machine_and_not_elsewhere_before_its_lease_is_over(
    call: Call, servers: Servers, tmp_path: Path
) -> None:
    with scene(KINDS["rclone"], call, servers, tmp_path / "home") as made:
        with stopped(made, Gate("PUT", "/claim.json"), USUAL) as first:
            refused = made.run(elsewhere(USUAL, tmp_path), "elsewhere")
            late = replace(USUAL, ahead_s=3600)
            beside = made.run(late, "beside")
            for said in (refused, beside):
                assert said.code == 6, said
                assert f"another recpipe works on this job (process {first.pid} on " in said.out
            assert made.events() == []
            os.killpg(first.pid, signal.SIGCONT)
            done = ended(first)
        assert done.code == 0, done
        made.assert_made_good()
