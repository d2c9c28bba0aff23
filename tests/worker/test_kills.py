"""Whoever dies in the middle of whatever step, on either queue: the job is done once, as if nobody had."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from pipeline.worker.queue.open import open_engine
from pipeline.worker.shift.machine import boot_ms
from tests.cells import cell
from tests.kill.launcher import Circumstances
from tests.kill.scene import call_in
from tests.servers import rclone
from tests.servers.fixtures import require
from tests.worker.calls import LEASE_MS, is_alive, stop, until
from tests.worker.kills import HELD, SHORT_MS, Shop, Stage, run_alone, stage, stocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.postgres import Postgres
    from tests.worker.kills import Quiet, Step

Engine = Literal["sqlite", "postgres"]
Victim = Literal["worker", "child", "database", "store"]
ENGINES: tuple[Engine, ...] = ("sqlite", "postgres")
VICTIMS: tuple[Victim, ...] = ("worker", "child", "database", "store")
STEPS: tuple[Step, ...] = ("copy", "compose", "upload", "notify")
NO_CELL = {("sqlite", "database"): "a queue in SQLite has no server: its processes are the workers"}
ALWAYS = {
    ("sqlite", "worker", "copy"),
    ("sqlite", "child", "compose"),
    ("sqlite", "store", "upload"),
    ("sqlite", "worker", "notify"),
    ("postgres", "worker", "compose"),
    ("postgres", "database", "copy"),
    ("postgres", "database", "upload"),
    ("postgres", "worker", "notify"),
}
"""Each victim and each step on each queue that has a part in it; ``make soak`` tries all cells."""
SLEEP_ALWAYS = {("sqlite", "compose"), ("postgres", "upload")}
CELLS = [
    cell(
        engine,
        victim,
        step,
        name=f"{engine}, the {victim} dies, {step}",
        always=(engine, victim, step) in ALWAYS,
    )
    for engine in ENGINES
    for victim in VICTIMS
    for step in STEPS
    if (engine, victim) not in NO_CELL
]
SLEEPERS = [
    cell(engine, step, name=f"{engine}, {step}", always=(engine, step) in SLEEP_ALWAYS)
    for engine in ENGINES
    for step in STEPS
]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all cells share: a store with a recording, and what it becomes when nobody is struck."""

    shop: Shop
    source: str
    merged: Quiet
    composed: Quiet

    def quiet(self, step: Step) -> Quiet:
        return self.composed if step == "compose" else self.merged


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    require(rclone.lacking())
    folder = tmp_path_factory.mktemp("kills")
    (folder / "store").mkdir()
    shop = Shop(folder / "store")
    shop.start()
    try:
        source = stocked(shop, call_in(folder / "call"))
        quiet = []
        for name, composes in (("merged", False), ("composed", True)):
            with stage(folder / name, shop, source, "", composes=composes) as alone:
                quiet.append(run_alone(alone))
        yield Ground(shop, source, *quiet)
    finally:
        shop.kill()


@pytest.fixture
def set_up(
    ground: Ground, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Engine, Step], Stage]]:
    """A job in a queue of an engine, to be halted in a step."""
    with ExitStack() as closing:

        def opened(engine: Engine, step: Step) -> Stage:
            ground.shop.start()
            made = closing.enter_context(
                stage(tmp_path / "stage", ground.shop, ground.source, step, composes=step == "compose")
            )
            address = f"sqlite:{tmp_path / 'queue.db'}"
            if engine == "postgres":
                server: Postgres = request.getfixturevalue("postgres_server")
                address = f"postgres:{server.dsn(server.emptied())}"
                monkeypatch.setenv("PGPASSWORD", server.password)
                made.environ["PGPASSWORD"] = server.password
            queue = open_engine(address)
            closing.callback(queue.close)
            made.submit(address, queue)
            return made

        yield opened


@pytest.mark.parametrize(("engine", "victim", "step"), CELLS)
def test_whoever_dies_in_the_middle_of_a_step_the_job_is_done_once(
    ground: Ground,
    set_up: Callable[[Engine, Step], Stage],
    request: pytest.FixtureRequest,
    engine: Engine,
    victim: Victim,
    step: Step,
) -> None:
    there = set_up(engine, step)
    there.halt.after = step == "notify"  # the receiver has taken the event, and the job does not know it
    worker = there.start()
    there.halted()
    if victim == "worker":
        child = there.child(worker)
        worker.kill()
        until(lambda: not is_alive(child))
        there.works_off(ahead_ms=LEASE_MS)
    elif victim == "child":
        os.kill(there.child(worker), signal.SIGKILL)
        there.ends(worker)
    elif victim == "database":
        server: Postgres = request.getfixturevalue("postgres_server")
        server.kill()
        server.start()
        there.go_on()
        there.ends(worker)
    else:
        there.halt.away = True
        ground.shop.kill()
        there.go_on()
        until(there.failed_once)
        ground.shop.start()
        there.halt.away = False
        there.ends(worker)
    there.go_on()
    there.works_off()
    assert there.now().attempts == 1 if victim == "database" else there.now().attempts > 1
    there.assert_ended_as(ground.quiet(step))


@pytest.mark.parametrize(("engine", "step"), SLEEPERS)
def test_who_slept_past_its_lease_in_the_middle_of_a_step_does_nothing_any_more(
    ground: Ground, set_up: Callable[[Engine, Step], Stage], tmp_path: Path, engine: Engine, step: Step
) -> None:
    """Another machine has the job by then; who wakes up hears of no lease, nor finds his own in the place."""
    there = set_up(engine, step)
    boot = tmp_path / "boot"
    boot.write_text("another machine's")
    slept = there.start(given=Circumstances(lease_ms=SHORT_MS))
    there.halted()
    child = there.child(slept)
    stop(slept, tmp_path / "queue.db" if engine == "sqlite" else None)
    os.kill(child, signal.SIGSTOP)
    over_ms = boot_ms() + LEASE_MS
    if step in HELD:
        there.mark.with_suffix(".go").touch()
    there.works_off(LEASE_MS, Circumstances(lease_ms=SHORT_MS, boot=str(boot)))
    there.assert_ended_as(ground.quiet(step))
    until(lambda: boot_ms() > over_ms)  # for the other one, whose clocks are ahead, it was before
    before = there.now(), there.objects(), there.told()
    there.go_on()
    os.kill(child, signal.SIGCONT)
    until(lambda: not is_alive(child))
    slept.send_signal(signal.SIGCONT)
    assert "another worker" in there.ends(slept)
    assert (there.now(), there.objects(), there.told()) == before
    there.assert_ended_as(ground.quiet(step))
