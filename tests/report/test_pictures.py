"""Pictures in words: by user, and how many in all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.manifest import Manifest, Origin, Picture
from pipeline.report.pictures import files_of, picture_rows

ONE = Picture("a.jpg", "ann", "camera", 1000, 990, 10_000, "0" * 64, 320, 180)
SHEET = replace(ONE, file="a_sheet.jpg", size=50_000, width=168, height=142, stills=1)
NOTHING = Manifest(Origin("agora", "", "room", ""), {}, (), (), (), "recpipe")


def test_a_row_for_each_user_and_source() -> None:
    other = replace(ONE, uid="", source="screen", checked=False)
    assert picture_rows([ONE, replace(ONE, width=640, height=360), SHEET, other]) == [
        ("2 pictures, 1 sheet", "320x180 640x360", "70.0 kB", "decoded again", "ann camera"),
        ("1 picture", "320x180", "10.0 kB", "not decoded again", "mixed screen"),
    ]


@pytest.mark.parametrize(
    ("pictures", "told"),
    [
        pytest.param((), "0 files", id="nothing"),
        pytest.param((ONE,), "1 picture", id="a picture"),
        pytest.param((ONE, ONE, SHEET), "2 pictures, 1 sheet", id="a sheet of one picture is a sheet"),
    ],
)
def test_how_many_files_there_are(pictures: tuple[Picture, ...], told: str) -> None:
    assert files_of(replace(NOTHING, pictures=pictures)) == told
