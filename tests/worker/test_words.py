"""What worker and process say to each other survives the pipe; what is no word is none."""

from __future__ import annotations

import pytest

from pipeline.errors import ExitCode
from pipeline.job.shares import Dead, Known, Share
from pipeline.worker.queue.jobs import Needs
from pipeline.worker.shift.retry import Outcome
from pipeline.worker.shift.words import (
    Apart,
    Asks,
    Bounds,
    Moved,
    Over,
    Said,
    Step,
    Task,
    Word,
    line_of,
    word_of,
)

SHARE = Share("0123", "通话.mp4", "89ab", ("sound", "00000"))
WORDS = [
    *(Moved(step, 500) for step in Step),
    Said("a name with \n a line in it: 通话"),
    Asks(Needs(2, 1 << 40, 3)),
    Over(Outcome(6, "busy", retryable=True, summary='{"recordings": []}')),
    Over(None, 30_000, "waiting"),
    Over(None),
    Over(None, apart=Apart((SHARE, SHARE), "made by others", counts=True)),
]
NOISE = [
    b"",
    b"noise",
    b"[]",
    b"{}",
    b'{"Moved": {}}',
    b'{"Moved": 3}',
    b'{"Else": {}}',
    b'{"Said": {}}',
    b"\xff",
]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_survives(word: Word) -> None:
    line = line_of(word)
    assert line.count(b"\n") == 1
    assert word_of(line) == word


@pytest.mark.parametrize("line", NOISE, ids=repr)
def test_what_is_no_word_is_none(line: bytes) -> None:
    assert word_of(line) is None


def test_a_task_survives() -> None:
    known = Known(True, (SHARE,), Dead(ExitCode.INPUT, "no slice"))
    task = Task(
        "{}", "/a", None, 2, 3, 4, 5, hands_back=False, last=True, known=known, bounds=Bounds(1, 2, 3)
    )
    assert Task.from_json(task.to_json()) == task
