from __future__ import annotations

import pytest

from pipeline.errors import ExitCode
from pipeline.model.manifest import Verdict
from pipeline.model.verification import Checked, Verification

GOOD = Checked("a.mp4", "ann", Verdict("full", 30, 60))
BAD = Checked("b.mp4", "bob", Verdict("full", 30, 60, ("its SHA-256 is not that of the manifest",)))


@pytest.mark.parametrize(
    ("files", "code"),
    [
        pytest.param((), ExitCode.GOOD, id="no file"),
        pytest.param((GOOD,), ExitCode.GOOD, id="a good one"),
        pytest.param((GOOD, BAD, GOOD), ExitCode.VERIFICATION, id="a bad one among good ones"),
    ],
)
def test_one_bad_file_makes_the_command_fail(files: tuple[Checked, ...], code: ExitCode) -> None:
    found = Verification(files)
    assert found.exit_code is code
    assert found.good == (code is ExitCode.GOOD)
