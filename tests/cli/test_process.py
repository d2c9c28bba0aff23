"""Real processes: signals, pipes, full disks, what is loaded at the start."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.demo.made import Made

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "pipeline")
ON_A_SLOW_DISK = """
import sys, time
from pathlib import Path
from pipeline.__main__ import main
from pipeline.sources.folder import Folder

def read_slowly():
    if list(Path(sys.argv[4]).glob(".*.part")):
        time.sleep(0.2)

class SlowFile:
    def __init__(self, file): self._file = file
    def __enter__(self): return self
    def __exit__(self, *_): self._file.close()
    def __getattr__(self, name): return getattr(self._file, name)
    def read(self, size=-1):
        read_slowly()
        return self._file.read(size)
    def readinto(self, buffer):
        read_slowly()
        return self._file.readinto(buffer)

fast = Folder.open
Folder.open = lambda self, key: SlowFile(fast(self, key))
main()
"""
PATIENCE = 30


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )


def _slow_merge(source: Path, dest: Path, jobs: int) -> subprocess.Popen[str]:
    """A merge that has begun to write and takes long enough to be stopped."""
    typed = ["merge", str(source), "-o", str(dest), "--jobs", str(jobs), "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_SLOW_DISK, *typed],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    end = time.monotonic() + PATIENCE
    while not list(dest.glob(".*.part")):
        assert time.monotonic() < end, "it never began to write"
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, id="SIGINT"), pytest.param(signal.SIGTERM, 143, id="SIGTERM")],
)
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "send",
    [
        pytest.param(os.kill, id="to the process"),
        pytest.param(os.killpg, id="to its group, as a terminal does"),
    ],
)
def test_a_signal_stops_a_merge_and_leaves_nothing(
    made: Callable[[str], Made],
    tmp_path: Path,
    number: signal.Signals,
    code: int,
    jobs: int,
    send: Callable[[int, int], None],
) -> None:
    process = _slow_merge(made("screen-trtc").place, tmp_path / "out", jobs)
    time.sleep(0.1)
    send(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert json.loads(out)["error"]["exit_code"] == code
    assert err == f"recpipe: {json.loads(out)['error']['sentence']}\n"
    assert not list((tmp_path / "out").iterdir())
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_signal_that_the_caller_ignores_stays_ignored(made: Callable[[str], Made], tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = _slow_merge(made("audio-only").place, tmp_path / "out", 1)
    finally:
        signal.signal(signal.SIGINT, before)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_reader_who_leaves_is_no_error(made: Callable[[str], Made]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        done = subprocess.run(
            [*COMMAND, "inspect", str(made("plain-agora").place)],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_cannot_grow_is_code_6(
    made: Callable[[str], Made], tmp_path: Path, unbuffered: str
) -> None:
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); "
        "from pipeline.__main__ import main; main()"
    )
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        done = subprocess.run(
            [sys.executable, "-c", limited, "inspect", str(made("plain-agora").place), "--json"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert done.returncode == 6
    assert done.stderr == (
        "recpipe: standard output cannot be written (File too large): send it somewhere else.\n"
    )


def test_an_output_that_holds_ascii_only_gets_ascii(made: Callable[[str], Made]) -> None:
    done = subprocess.run(
        [*COMMAND, "inspect", str(made("mute-and-rejoin").place)],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert "#####" in done.stdout.decode("ascii")


def _loaded(*typed: str | Path) -> set[str]:
    """The modules that a command has loaded when it ends."""
    code = (
        "import sys\n"
        "from pipeline.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, typed)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return set(done.stderr.split())


def test_doctor_says_what_to_install_where_the_codec_library_is_missing() -> None:
    without = "import sys; sys.modules['av'] = None; from pipeline.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "doctor"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (2, "")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("missing: ")]
    assert "pip install" in line


def on_a_terminal(*typed: str | Path) -> tuple[int, str]:
    """A command whose output and messages go to a terminal of 80 columns: its code, and all it wrote."""
    master, slave = os.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen([*COMMAND, *map(str, typed)], stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    written = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:  # how Linux says that the other side is closed
            block = b""
        if not block:
            break
        written += block
    os.close(master)
    return process.wait(PATIENCE), written.decode()


def test_on_a_terminal_there_is_a_bar_that_goes_away_and_losses_are_red(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    code, text = on_a_terminal("merge", made("missing-slice").place, "-o", tmp_path)
    assert code == 1
    assert "merging" in text
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")  # the cursor is shown again
    assert "\x1b[1;31mloss\x1b[0m" in text


def test_on_a_terminal_the_chart_is_as_wide_as_it(made: Callable[[str], Made]) -> None:
    code, text = on_a_terminal("inspect", made("plain-agora").place)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert code == 0
    assert max(len(line) for line in plain.splitlines() if "█" * 9 in line) == 80


UNUSED = {
    "pipeline.media.reopen_matroska",
    "pipeline.media.reopen_sound",
    "pipeline.model.inspection",
    "pipeline.steps.recheck",
    "pipeline.vendors.agora.mpd",
    "pipeline.vendors.agora_onpremise.events",
}
"""What a plain merge to MP4 of a recorder's slices does without."""
HEAVY = {"av", "numpy", "pydantic", "rich", "m3u8"}


@pytest.mark.parametrize(
    "typed", [("--version",), ("--help",), ("merge", "--help")], ids=lambda typed: str(" ".join(typed))
)
def test_help_and_version_load_nothing_heavy(typed: Sequence[str]) -> None:
    assert not _loaded(*typed) & HEAVY


def test_a_merge_that_nobody_watches_loads_nothing_that_it_does_not_use(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    loaded = _loaded("merge", made("audio-only").place, "-o", tmp_path)
    assert "av" in loaded
    assert not loaded & {"rich", "pydantic"}
    assert not loaded & UNUSED


def test_the_command_line_says_its_version() -> None:
    done = _run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("recpipe 0.")
