"""The files of a composite's images, and what no font can write: told before anything is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CommandError
from pipeline.layout.composed import composed
from pipeline.layout.composing import Composing
from pipeline.layout.composite import ComposeOptions
from pipeline.layout.looks import CameraOff, Image, Label, Looks, TextMark
from pipeline.steps.props import files_of, fonts_wanted, unwritten
from pipeline.vendors.layouts import Wish
from tests.layout.staging import CANVAS, senders

URL = "https://example.com/back.png"
NOBODYS = "\U000f1234"
"""A letter for private use that no font has."""


def composing(**looks: Any) -> Composing:
    return Composing(CANVAS, Wish("grid"), looks=Looks(**looks))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job's folder with an image, and another beside it."""
    job = tmp_path / "job"
    job.mkdir()
    (job / "in.png").touch()
    (tmp_path / "out.png").touch()
    (job / "link.png").symlink_to("../out.png")
    return job


def test_images_are_found_below_the_job_s_folder_with_absolute_paths(folder: Path) -> None:
    given = {URL: Path("in.png")}
    found = files_of(composing(backdrop=Image(URL), image=Image("in.png")), folder, given)
    assert found == ((URL, str(folder.resolve() / "in.png")), ("in.png", str(folder.resolve() / "in.png")))


def test_who_asks_at_the_keyboard_may_name_a_file_anywhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    given = {URL: Path("out.png")}
    found = files_of(composing(backdrop=Image(URL)), folder, given, anywhere=True)
    assert found == ((URL, str((folder.parent / "out.png").resolve())),)


def test_without_images_no_folder_is_looked_at() -> None:
    assert files_of(composing(), Path("/nowhere"), {"a": Path("b")}) == ()


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize(
    ("ref", "told"),
    [
        (URL, f"is an address, and nothing is fetched: give --image {URL}=FILE"),
        ("../out.png", "inside the job's folder, without '..'"),
        ("/etc/passwd", "inside the job's folder, without '..'"),
        ("link.png", "lies outside the job's folder"),
        ("none.png", "cannot be found"),
    ],
    ids=["an address", "above", "from the root", "by a link", "not there"],
)
def test_what_only_the_request_names_stays_below_the_folder(
    ref: str, told: str, folder: Path, *, anywhere: bool
) -> None:
    with pytest.raises(CommandError) as caught:
        files_of(composing(backdrop=Image(ref)), folder, {}, anywhere=anywhere)
    assert str(caught.value).startswith("the backdrop: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [("../out.png", "lies outside the job's folder"), ("none.png", "cannot be found")],
    ids=["outside", "not there"],
)
def test_a_job_s_own_files_lie_below_its_folder(given: str, told: str, folder: Path) -> None:
    with pytest.raises(CommandError, match=told):
        files_of(composing(backdrop=Image(URL)), folder, {URL: Path(given)})


def lacks(*lines: str, **looks: Any) -> tuple[str, ...]:
    wanted = ComposeOptions(composing=composing(**looks))
    return unwritten(composed("call", senders(*lines), wanted))


def test_a_name_that_no_font_has_is_told_where_it_is_written() -> None:
    names = (("ann", f"A{NOBODYS}"), ("bob", f"B{NOBODYS}"))
    (avatar,) = lacks("ann a 0-10", "bob v 0-10", names=names)
    assert "the name of user ann" in avatar
    both = lacks("ann a 0-10", "bob v 0-10", names=names, label=Label())
    assert len(both) == 2
    assert lacks("ann a 0-10", "bob v 0-10", names=names, camera_off=CameraOff.BLACK) == ()


def test_a_watermark_that_no_font_has_is_told_with_its_number() -> None:
    (told,) = lacks("ann v 0-10", marks=(TextMark("ok", 0, 0), TextMark(NOBODYS, 0, 0)))
    assert "watermark 2" in told


def test_what_can_be_written_is_no_word_worth() -> None:
    assert lacks("ann a 0-10", marks=(TextMark("ok", 0, 0),), label=Label()) == ()


def test_a_job_s_fonts_lie_below_its_folder(tmp_path: Path) -> None:
    (tmp_path / "f.ttf").write_bytes(b"")
    options = ComposeOptions(fonts=("f.ttf",), folder=str(tmp_path), outside=False)
    assert fonts_wanted(options) == (str(tmp_path / "f.ttf"),)
    for bad in ("../f.ttf", "/usr/share/fonts/f.ttf"):
        with pytest.raises(CommandError, match=r"font 1: the font .* inside the job's folder"):
            fonts_wanted(replace(options, fonts=(bad,)))
    assert fonts_wanted(replace(options, fonts=("/x.ttf",), outside=True)) == ("/x.ttf",)
