"""Many recordings by the command: a broken one, an empty one, killed processes, signals, and going on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.api import here as machine
from pipeline.errors import CommandError
from pipeline.job import batch as batches
from pipeline.job.asked import STATE, Entry, items_of
from pipeline.job.crew import Crew
from pipeline.job.merge import merge_all
from pipeline.job.run import run as run_job
from pipeline.journal.outcomes import Outcomes, outcome_of
from pipeline.model.manifest import FILE
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from pipeline.storage.below import Below
from pipeline.storage.open import open_store
from tests.cli.running import run
from tests.cli.test_process import on_a_terminal
from tests.cli.test_stores import keys, recpipe, store
from tests.documents import ROOT
from tests.job.jobs import SECRET
from tests.merge.merging import tree
from tests.notify.receiver import receiver
from tests.sources.stored import put_all
from tests.storage.servers import bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made
    from pipeline.job.edges import Edges
    from pipeline.job.run import Ran
    from pipeline.job.spec import Job
    from pipeline.model.batch import Item
    from tests.servers.s3 import S3Server

PATIENCE = 60
ON_A_SLOW_DISK = """
import sys, time
from pathlib import Path
from pipeline.__main__ import main
from pipeline.sources.folder import Folder

class SlowFile:
    def __init__(self, file): self._file = file
    def __enter__(self): return self
    def __exit__(self, *_): self._file.close()
    def __getattr__(self, name): return getattr(self._file, name)
    def read(self, size=-1):
        time.sleep(0.05)
        return self._file.read(size)
    def readinto(self, buffer):
        time.sleep(0.05)
        return self._file.readinto(buffer)

fast = Folder.open
Folder.open = lambda self, key: SlowFile(fast(self, key)) if "slow" in self.name else fast(self, key)
main()
"""


@pytest.fixture
def here(made: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with recordings in ``rec``: a and b are good, one has losses."""
    for name, scenario in (("a", "audio-only"), ("b", "plain-agora"), ("lost", "missing-slice")):
        shutil.copytree(made(scenario).place, tmp_path / "rec" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def by_source(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {Path(each["source"]).name: each for each in document["recordings"]}


def places(out: Path) -> dict[str, Path]:
    """The folders of a batch by the names of their sources."""
    return {path.name.rpartition("_")[0]: path for path in out.iterdir() if path.is_dir()}


def test_every_recording_becomes_what_a_merge_makes_of_it(here: Path) -> None:
    said = run("batch", "rec/a", "rec/b", "rec/lost", "-o", "out", "--parallel", "2")
    assert said.code == 1
    assert sorted(line.partition("] ")[2].partition(":")[0] for line in said.err.splitlines()) == [
        "done rec/a",
        "done rec/b",
        "partial rec/lost",
    ]
    assert said.out.splitlines()[0].split() == [
        "code",
        "state",
        "files",
        "losses",
        "media",
        "source",
        "place",
    ]
    assert said.out.splitlines()[-1] == "3 recordings: 2 done, 1 partial; exit code 1"
    for name, place in places(here / "out").items():
        merge_all(Folder(here / "rec" / name), here / "merged" / name, Options(), Limits())
        assert tree(place) == tree(here / "merged" / name)


def test_what_fails_is_told_with_its_code_and_ends_no_other(here: Path) -> None:
    (here / "rec" / "empty").mkdir()
    (here / "list").write_text('# some\nrec/empty\nrec/nowhere\n\n{"source": "rec/a", "place": "mine"}\n')
    for path in (here / "rec" / "b").rglob("*.ts"):
        path.write_bytes(b"")
    said = run("batch", "--list", "list", "rec/b", "-o", "out", "--json")
    assert said.code == said.document["exit_code"] == 4
    found = by_source(said.document)
    assert list(found) == ["b", "empty", "nowhere", "a"]
    assert {name: each["exit_code"] for name, each in found.items()} == {
        "a": 0,
        "b": 4,
        "empty": 3,
        "nowhere": 2,
    }
    assert found["nowhere"]["error"] == {
        "sentence": "rec/nowhere does not exist: give the folder that holds the playlists and slices.",
        "exit_code": 2,
        "kind": "CommandError",
    }
    assert (found["a"]["place"], found["a"]["state"], found["a"]["error"]) == ("mine", "done", None)
    assert (here / "mine" / FILE).is_file()
    assert said.document["states"] == {"done": 1, "already": 0, "before": 0, "partial": 0, "failed": 3}


def test_a_list_comes_from_standard_input_too(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "batch", "--list", "-", "-o", "out", "--json"],
        input="rec/a\n",
        capture_output=True,
        text=True,
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert [each["source"] for each in json.loads(done.stdout)["recordings"]] == ["rec/a"]


def test_a_source_of_many_recordings_is_done_folder_by_folder(here: Path) -> None:
    whole = run("batch", "rec", "-o", "out", "--json")
    assert whole.code == 1
    assert list(by_source(whole.document)) == ["a", "b", "lost"]
    alone = run("batch", "rec/a", "rec/b", "rec/lost", "-o", "out", "--json")
    assert {each["state"] for each in alone.document["recordings"]} == {"already"}
    assert {r["place"] for r in alone.document["recordings"]} == {
        r["place"] for r in whole.document["recordings"]
    }
    both = run("batch", "rec", "rec/a", "-o", "out", "--json")
    assert sorted(by_source(both.document)) == ["a", "b", "lost"]
    assert len(places(here / "out")) == 3


def test_recordings_of_one_folder_get_folders_of_their_own(here: Path) -> None:
    for path in [*(here / "rec" / "a").iterdir(), *(here / "rec" / "b").iterdir()]:
        path.rename(here / "rec" / path.name)
    said = run("batch", "rec", "-o", "out", "--json")
    found = [each for each in said.document["recordings"] if each["recording"]]
    assert len({each["place"] for each in found}) == len(found) == 3
    assert all(Path(each["place"]).parent.parent == Path("out") for each in found)


def test_what_is_finished_is_not_looked_at_again(here: Path) -> None:
    sources = ["rec/a", "rec/lost", "rec/empty"]
    (here / "rec" / "empty").mkdir()
    first = run("batch", *sources, "-o", "out", "--json")
    assert [each["state"] for each in first.document["recordings"]] == ["done", "partial", "failed"]
    shutil.rmtree(here / "rec" / "a")
    shutil.rmtree(here / "rec" / "lost")
    again = run("batch", *sources, "-o", "./out/", "--resume", "--json")
    assert [each["state"] for each in again.document["recordings"]] == ["before", "before", "failed"]
    assert [each["exit_code"] for each in again.document["recordings"]] == [0, 1, 3]
    assert again.document["recordings"][0] == {**first.document["recordings"][0], "state": "before"}
    assert "done before rec/a: 1 file in out/a_" in again.err
    assert run("batch", *sources[:2], "-o", "out", "--resume", "--accept-loss").code == 0
    other = run("batch", "rec/a", "-o", "out", "--resume", "--gaps", "drop", "--json")
    assert other.document["recordings"][0]["state"] == "failed", "other work is not taken for it"
    assert run("batch", *sources, "-o", "out", "--json").document["states"]["failed"] == 3


def test_a_source_that_was_taken_apart_is_finished_when_its_folders_are(here: Path) -> None:
    assert run("batch", "rec", "-o", "out").code == 1
    shutil.rmtree(here / "rec")
    again = run("batch", "rec", "-o", "out", "--resume", "--json")
    assert [each["state"] for each in again.document["recordings"]] == ["before"] * 3


def test_hundreds_that_are_finished_cost_no_process_each(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("batch", "rec/a", "-o", "out").code == 0
    state = here / "out" / STATE
    one = outcome_of(state.read_bytes())
    assert one
    sources = [f"gone/{number}" for number in range(200)]
    with Outcomes(state) as outcomes:
        for item in items_of(map(Entry, sources), "out"):
            outcomes.add(replace(one, identity=item.identity, place=item.target))
    started: list[str] = []
    start = Crew.start

    def counting(crew: Any, item: Item, work: Any) -> None:
        started.append(item.source)
        start(crew, item, work)

    monkeypatch.setattr(Crew, "start", counting)
    (here / "list").write_text("\n".join([*sources, "rec/b"]))
    said = run("batch", "--list", "list", "-o", "out", "--resume", "--json")
    assert said.document["states"] == {"done": 1, "already": 0, "before": 200, "partial": 0, "failed": 0}
    assert started == ["rec/b"]


@pytest.mark.usefixtures("here")
def test_a_process_that_is_killed_ends_no_other_and_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(job: Job, edges: Edges) -> tuple[Ran, ...]:
        if job.source == "rec/b":
            os.kill(os.getpid(), signal.SIGKILL)
        return run_job(job, edges)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "run", killed)
        said = run("batch", "rec/b", "rec/a", "rec/lost", "-o", "out", "--json")
    found = by_source(said.document)
    assert said.code == 143
    assert {name: each["exit_code"] for name, each in found.items()} == {"b": 143, "a": 0, "lost": 1}
    assert found["b"]["error"]["kind"] == "WorkerKilledError"
    assert "the process that worked on rec/b was killed" in said.err
    again = run("batch", "rec/b", "rec/a", "rec/lost", "-o", "out", "--resume", "--json")
    assert {name: each["state"] for name, each in by_source(again.document).items()} == {
        "b": "done",
        "a": "before",
        "lost": "before",
    }


@pytest.mark.usefixtures("here")
def test_a_bug_in_one_is_told_and_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(job: Job, edges: Edges) -> tuple[Ran, ...]:
        if job.source == "rec/b":
            raise KeyError("x")
        return run_job(job, edges)

    monkeypatch.setattr(batches, "run", buggy)
    said = run("batch", "rec/b", "rec/a", "-o", "out", "--json")
    assert {name: each["exit_code"] for name, each in by_source(said.document).items()} == {"b": 70, "a": 0}
    assert by_source(said.document)["b"]["error"]["kind"] == "KeyError"


@pytest.mark.parametrize(
    ("typed", "shares"),
    [
        pytest.param(["rec/a"], ["8"], id="one has all"),
        pytest.param(["rec/a", "rec/b"], ["4", "4"], id="two have half"),
        pytest.param(["rec", "--parallel", "9"], ["2", "2", "2"], id="folders of a source too"),
        pytest.param(["rec/a", "rec/b", "--parallel", "1"], ["8", "8"], id="one after another"),
    ],
)
@pytest.mark.usefixtures("here")
def test_processors_are_shared_by_those_that_can_work_at_once(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], shares: list[str]
) -> None:
    def told(_job: Job, edges: Edges) -> tuple[Ran, ...]:
        raise CommandError(f"{edges.processors}")

    monkeypatch.setattr(batches, "run", told)
    monkeypatch.setattr(machine, "processors", lambda: 8)
    found = by_source(run("batch", *typed, "-o", "out", "--json").document)
    assert [each["sentence"] for each in found.values()] == shares


class TestJob:
    """With --job."""

    @pytest.fixture
    def job(self) -> dict[str, Any]:
        return {
            "version": 1,
            "source": "{source}",
            "targets": [{"place": "out/{name}/made"}],
            "limits": {"settle": "0", "settle_limit": "0"},
        }

    def test_each_source_is_a_job_with_its_own_place_and_its_own_event(
        self, here: Path, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOOK_SECRET", SECRET)
        with receiver() as hook:
            job["notify"] = [{"url": hook.url, "secret_env": ["HOOK_SECRET"]}]
            (here / "job.json").write_text(json.dumps(job))
            said = run("batch", "rec/a", "rec/b", "--job", "job.json", "--json")
            assert said.code == 0
            told = [json.loads(each.body)["summary"] for each in hook.seen.deliveries]
        assert sorted(each["place"] for each in told) == sorted(
            each["place"] for each in said.document["recordings"]
        )
        assert all((place / "made" / FILE).is_file() for place in places(here / "out").values())
        assert (here / "out" / STATE).is_file()

    @pytest.mark.parametrize(
        ("changed", "typed", "told"),
        [
            ({"source": "rec/a"}, [], 'write "source": "{source}", which stands for each'),
            ({}, ["--gaps", "drop"], "--gaps stands in the job: leave it out beside --job"),
            ({}, ["-o", "out"], "--output stands in the job: leave it out beside --job"),
            ({}, ["--accept-loss"], "--accept-loss stands in the job"),
            ({"version": 3}, [], "version: input should be 1"),
        ],
        ids=["of one source", "an option", "a place", "a limit", "no job"],
    )
    def test_what_cannot_be_is_refused(
        self, here: Path, job: dict[str, Any], changed: dict[str, Any], typed: list[str], told: str
    ) -> None:
        (here / "job.json").write_text(json.dumps({**job, **changed}))
        said = run("batch", "rec/a", "--job", "job.json", *typed)
        assert said.code == 2
        assert told in said.err


SLOW = ("rec/a", "rec/slow-1", "rec/slow-2")


def slow_batch(place: Path, *more: str) -> subprocess.Popen[str]:
    """A batch that has finished ``rec/a`` and is writing the slow ones."""
    for name in ("slow-1", "slow-2"):
        shutil.copytree(place / "rec" / "b", place / "rec" / name)
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_SLOW_DISK, "batch", *SLOW, "-o", "out", "--parallel", "3", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )

    def begun() -> bool:
        assert process.poll() is None, process.communicate()
        there = places(place / "out") if (place / "out").is_dir() else {}
        writing = [name for name, path in there.items() if list(path.glob(".*.part"))]
        return {"slow-1", "slow-2"} <= {*writing} and (there["a"] / FILE).is_file()

    until(begun)
    return process


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def hidden(place: Path) -> list[str]:
    return [path.name for path in place.rglob(".*") if path.name != STATE]


def resumed(place: Path) -> None:
    """What is left is done, what was finished is not looked at, and nothing else is there."""
    again = run("batch", *SLOW, "-o", "out", "--resume", "--json")
    assert again.code == 0
    assert [each["state"] for each in again.document["recordings"]] == ["before", "done", "done"]
    assert hidden(place / "out") == []
    merge_all(Folder(place / "rec" / "slow-1"), place / "merged", Options(), Limits())
    assert tree(places(place / "out")["slow-2"]) == tree(place / "merged")


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, id="SIGINT"), pytest.param(signal.SIGTERM, 143, id="SIGTERM")],
)
@pytest.mark.parametrize(
    "send",
    [
        pytest.param(os.kill, id="to the process"),
        pytest.param(os.killpg, id="to its group, as a terminal does"),
    ],
)
@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.soak), "2"])
def test_a_signal_ends_all_that_work_leaves_nothing_and_the_rest_can_be_done(
    here: Path, number: signal.Signals, code: int, send: Callable[[int, int], None], jobs: str
) -> None:
    process = slow_batch(here, "--jobs", jobs, "--json")
    send(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert json.loads(out)["error"]["exit_code"] == code
    assert "Traceback" not in err
    until(lambda: is_gone(process.pid))  # what the kernel kills may need a moment
    assert hidden(here / "out") == []
    resumed(here)


def test_who_waits_for_a_recording_is_ended_too(here: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "batch", "rec/a", "rec/b", "-o", "out", "--settle", "1000h"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert process.stderr
    told = sorted(process.stderr.readline() for _ in range(2))
    assert [line.rpartition(" for ")[0] for line in told] == [
        "recpipe: rec/a: waiting",
        "recpipe: rec/b: waiting",
    ]
    process.terminate()
    assert process.communicate(timeout=PATIENCE)[1] == "recpipe: terminated; nothing unfinished was left.\n"
    assert process.returncode == 143
    until(lambda: is_gone(process.pid))  # what the kernel kills may need a moment


def test_a_batch_that_is_killed_leaves_no_process_and_the_rest_can_be_done(here: Path) -> None:
    process = slow_batch(here)
    process.kill()
    process.communicate(timeout=PATIENCE)
    until(lambda: is_gone(process.pid))
    resumed(here)


class TestBetweenStores:
    """As `recpipe.toml` names them, over TLS."""

    def test_from_bucket_to_bucket(
        self, swift_tls: S3Server, made: Callable[[str], Made], here: Path
    ) -> None:
        ours, theirs = swift_tls.accounts[:2]
        calls, vod = bucket(swift_tls, ours), bucket(swift_tls, theirs)
        (here / "recpipe.toml").write_text(store("calls", swift_tls, calls) + store("vod", swift_tls, vod))
        inside = open_store(settings(swift_tls, calls), environ(swift_tls, ours))
        target = open_store(settings(swift_tls, vod), environ(swift_tls, theirs))
        for name, scenario in (("2026/a", "audio-only"), ("2026/b", "plain-agora"), ("2025/a", "audio-only")):
            put_all(made(scenario).place, Below(inside, f"{name}/"))
        both = keys("calls", ours) | keys("vod", theirs)
        typed = ["batch", "calls:2026", "calls:2025/a", "calls:2024", "-o", "vod:done", "--json"]
        said = recpipe(here, *typed, "--parallel", "3", **both)
        document = json.loads(said.stdout)
        assert said.returncode == 3, said
        assert {each["source"]: each["exit_code"] for each in document["recordings"]} == {
            "calls:2026/a/": 0,
            "calls:2026/b/": 0,
            "calls:2025/a": 0,
            "calls:2024": 3,
        }
        for each in document["recordings"][:3]:
            name = each["source"].removeprefix("calls:").strip("/")
            scenario = "plain-agora" if name.endswith("b") else "audio-only"
            merge_all(Folder(made(scenario).place), here / "merged" / name, Options(), Limits())
            local = {file: data for file, data in tree(here / "merged" / name).items() if file != FILE}
            found = Below(target, f"{each['place'].removeprefix('vod:')}/")
            assert {stat.key for stat in found.list("")} == {*local, FILE}
            assert all(found.get(file).data == data for file, data in local.items())
        assert not list(target.uploads(""))
        again = recpipe(here, *typed, "--resume", **both)
        assert json.loads(again.stdout)["states"] | {"failed": 0} == {
            "done": 0,
            "already": 0,
            "before": 3,
            "partial": 0,
            "failed": 0,
        }
        (state,) = (here / ".local" / "state" / "recpipe").iterdir()
        assert state.name.startswith("batch-")
        assert not any(a.secret_key in state.read_text() + said.stderr for a in (ours, theirs))


@pytest.mark.usefixtures("here")
def test_on_a_terminal_lines_stand_above_a_bar() -> None:
    code, text = on_a_terminal("batch", "rec/a", "rec/lost", "-o", "out")
    assert code == 1
    assert "[2/2]" in text
    assert "2/2" in text.replace("[2/2]", "")
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")  # the cursor is shown again
