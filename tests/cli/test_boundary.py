"""The error boundary: every way in which a command may end, as sentence, document and code."""

from __future__ import annotations

import json
import signal

import pytest

from pipeline.cli.boundary import Stopped, check, guarded, signals
from pipeline.errors import ExitCode, NoSpaceError, RecpipeError


def _raising(error: Exception | KeyboardInterrupt) -> int:
    raise error


ENDINGS = [
    pytest.param(NoSpaceError("the disk is full."), 7, "the disk is full.", id="an error of ours"),
    pytest.param(
        Stopped(ExitCode.TERMINATED), 143, "terminated; nothing unfinished was left.", id="a signal"
    ),
    pytest.param(
        KeyboardInterrupt(), 130, "interrupted; nothing unfinished was left.", id="Ctrl-C before we listen"
    ),
    pytest.param(
        ZeroDivisionError("by zero"),
        70,
        "this is a bug in recpipe: ZeroDivisionError: by zero; run again with RECPIPE_DEBUG=1 "
        "for the traceback.",
        id="a bug",
    ),
    pytest.param(
        AssertionError(),
        70,
        "this is a bug in recpipe: AssertionError; run again with RECPIPE_DEBUG=1 for the traceback.",
        id="a bug without words",
    ),
]


@pytest.mark.parametrize(("error", "code", "sentence"), ENDINGS)
def test_an_end_has_its_code_its_sentence_and_with_json_its_document(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, sentence: str
) -> None:
    assert guarded(lambda: _raising(error), ["merge"]) == code
    assert capsys.readouterr() == ("", f"recpipe: {sentence}\n")
    assert guarded(lambda: _raising(error), ["merge", "--json"]) == code
    told = json.loads(capsys.readouterr().out)["error"]
    assert (told["sentence"], told["exit_code"]) == (sentence, code)


def test_the_traceback_of_a_bug_is_shown_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECPIPE_DEBUG", "1")
    guarded(lambda: _raising(ValueError("x")), [])
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("system", ["win32", "cygwin", "emscripten"])
def test_a_system_that_we_do_not_run_on_is_told_so(capsys: pytest.CaptureFixture[str], system: str) -> None:
    assert guarded(lambda: 0, [], system) == 2
    assert system in capsys.readouterr().err


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_a_system_that_we_run_on_works(system: str) -> None:
    assert guarded(lambda: 1, [], system) == 1


def _leaves(kind: type[RecpipeError]) -> list[type[RecpipeError]]:
    return [leaf for sub in kind.__subclasses__() for leaf in (sub, *_leaves(sub))]


@pytest.mark.parametrize("kind", _leaves(RecpipeError), ids=lambda kind: str(kind.__name__))
def test_every_error_returns_its_own_code(
    capsys: pytest.CaptureFixture[str], kind: type[RecpipeError]
) -> None:
    assert guarded(lambda: _raising(kind("why.")), ["--json"]) == kind.exit_code
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == kind.__name__


def test_a_signal_that_got_lost_on_its_way_is_raised_again_and_only_while_we_listen() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals():
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # asked twice: the first is being obeyed
        with pytest.raises(Stopped) as stopped:
            check()
        assert stopped.value.code is ExitCode.TERMINATED
    check()
    assert signal.getsignal(signal.SIGTERM) is before
