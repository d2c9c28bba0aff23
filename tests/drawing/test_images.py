"""What a request calls an image: nothing is fetched, nothing outside the job's folder is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.drawing.images import Images
from pipeline.errors import CommandError

URL = "https://example.com/logo.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job's folder with images, and one outside it."""
    job = tmp_path / "job"
    (job / "sub").mkdir(parents=True)
    (job / "logo.png").touch()
    (job / "sub" / "face.png").touch()
    (job / "inner.png").symlink_to("sub/face.png")
    (tmp_path / "secret.png").touch()
    (job / "outer.png").symlink_to("../secret.png")
    (job / "out").symlink_to("..")
    (job / "loop.png").symlink_to("loop.png")
    os.mkfifo(job / "pipe.png")
    return job


@pytest.mark.parametrize(
    ("ref", "file"),
    [
        ("logo.png", "logo.png"),
        ("sub/face.png", "sub/face.png"),
        ("inner.png", "sub/face.png"),
        (URL, "logo.png"),
        ("/on/another/machine.png", "sub/face.png"),
    ],
    ids=[
        "a file",
        "deeper",
        "by a link that stays inside",
        "an address with its file",
        "a path with its file",
    ],
)
def test_an_image_is_found(ref: str, file: str, folder: Path) -> None:
    given = {URL: Path("logo.png"), "/on/another/machine.png": folder / "sub" / "face.png"}
    assert Images(folder, given).find(ref, "backgroundImage") == folder.resolve() / file


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        pytest.param(URL, f"is an address, and nothing is fetched: give --image {URL}=FILE", id="an address"),
        pytest.param("HTTP://x/y", "is an address", id="in capitals"),
        pytest.param("file:///etc/passwd", "is an address", id="of a file"),
        pytest.param("/etc/passwd", "inside the job's folder, without '..'", id="from the root"),
        pytest.param("../secret.png", "inside the job's folder, without '..'", id="above"),
        pytest.param("sub/../logo.png", "inside the job's folder, without '..'", id="up and down again"),
        pytest.param("outer.png", "lies outside the job's folder", id="by a link"),
        pytest.param("out/secret.png", "lies outside the job's folder", id="by a link to a folder"),
        pytest.param("none.png", "cannot be found", id="not there"),
        pytest.param("loop.png", "cannot be found", id="a link to itself"),
        pytest.param("a\0b.png", "cannot be found", id="a character that no path has"),
        pytest.param("x" * 5000, "cannot be found", id="too long"),
        pytest.param("", "is no file", id="empty"),
        pytest.param("sub", "is no file", id="a folder"),
        pytest.param("pipe.png", "is no file", id="a pipe"),
    ],
)
def test_what_may_not_be_opened_is_refused(ref: str, told: str, folder: Path) -> None:
    with pytest.raises(CommandError) as caught:
        Images(folder).find(ref, "transcodingConfig.backgroundImage")
    assert told in str(caught.value)
    assert str(caught.value).startswith("transcodingConfig.backgroundImage: the image ")


@pytest.mark.parametrize("file", ["../secret.png", "outer.png", "/etc/passwd"])
def test_a_given_file_lies_below_the_folder_too(file: str, folder: Path) -> None:
    with pytest.raises(CommandError, match="lies outside the job's folder"):
        Images(folder, {URL: Path(file)}).find(URL, "backgroundImage")
