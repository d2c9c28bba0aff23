"""Every example of a vendor's request, from the file to the film: size, clock, people, sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from pipeline import api
from pipeline.demo import recorder, scenario_toml
from pipeline.demo.picture import read
from pipeline.layout.composite import ComposeOptions, CompositePlan
from pipeline.layout.fill import fill
from pipeline.layout.stage import Face
from pipeline.model.options import Verify
from pipeline.vendors.requests import parse_request
from tests.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.layout.canvas import Region

REQUESTS = sorted(Path("fixtures/requests").glob("*.json"))
URLS = [
    f"https://images.example/{name}"
    for name in ("logo.png", "off.jpg", "off.png", "one.png", "two.jpg", "two.png", "wall.jpg", "wall.png")
]
LOOKED_AT = 3.0
"""Seconds at which everybody is there."""
LEGIBLE = {"agora-vertical", "agora-floating", "trtc-floating", "volcengine-vertical", "tuicallkit"}
"""Requests in whose films somebody's picture is whole, so that it can be read."""
READABLE = 100
"""Pixels that the cells of a coded picture need to survive scaling and encoding."""
_USER = """
[[users]]
uid = "{n}"
size = "320x180"
fps = 15
sound = [[{at}, 6.0]]
picture = [[{at}, 6.0]]
"""
_USERS = "".join(_USER.format(n=n, at=at) for n, at in ((1, 0.0), (2, 0.4), (3, 0.8)))
HEADS = {
    "agora": 'vendor = "agora"\n',
    "trtc": 'vendor = "trtc"\nchannel = "1042317788"\n',
    "volcengine": 'vendor = "volcengine"\nchannel = "room"\nfinished = true\n',
}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A call of three users as each cloud would leave it."""
    places = {}
    for vendor, head in HEADS.items():
        users = _USERS.replace("fps = 15", "fps = 15\nmerged = true") if vendor == "volcengine" else _USERS
        text = f"{head}start = 2026-03-02T09:00:00.250Z\n{users}"
        place = tmp_path_factory.mktemp(vendor)
        recorder.make(scenario_toml.parse(text), place)
        places[vendor] = place
    return places


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that stands for every address."""
    place = tmp_path_factory.mktemp("images") / "grey.png"
    Image.new("RGB", (64, 64), (90, 90, 90)).save(place)
    return place


def _composing(path: Path) -> ComposeOptions:
    asked = parse_request(path.read_text("utf-8"), path.name)
    return ComposeOptions(composing=asked.composing, verify=Verify.FAST)


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_an_example_of_a_request_becomes_the_film_that_it_asks_for(
    path: Path, calls: dict[str, Path], image: Path, tmp_path: Path
) -> None:
    asked = parse_request(path.read_text("utf-8"), path.name)
    given = [word for url in URLS for word in ("--image", f"{url}={image}")]
    said = run("compose", calls[asked.vendor], "--request", path, *given, "-o", tmp_path, "--json")
    assert said.code == 0, said.err
    (film,) = [path for path in tmp_path.iterdir() if path.suffix in {".mp4", ".m4a"}]
    encoding, sound, canvas = asked.composing.encoding, asked.composing.sound, asked.composing.canvas
    with av.open(str(film)) as container:
        assert len(container.streams.video) == (encoding is not None)
        assert len(container.streams.audio) == (sound is not None)
        if sound is not None:
            heard = container.streams.audio[0].codec_context
            assert (heard.sample_rate, heard.layout.nb_channels) == (sound.rate, sound.channels)
        if encoding is not None:
            seen = container.streams.video[0]
            assert (seen.width, seen.height) == (canvas.width, canvas.height)
            assert seen.average_rate == encoding.fps
            assert seen.codec_context.name == encoding.codec
    if encoding is not None:
        _check_people(path, calls[asked.vendor], image, film)


def _check_people(path: Path, call: Path, image: Path, film: Path) -> None:
    """Everybody is in his own region: the number that his pictures carry is his."""
    options = _composing(path)
    options = ComposeOptions(
        composing=options.composing, files=tuple((url, str(image)) for url in URLS), verify=Verify.FAST
    )
    (plan,) = api.plan(call, options)
    (output,) = plan.outputs
    assert isinstance(output, CompositePlan)
    assert output.encoding is not None
    number = round(LOOKED_AT * output.encoding.fps)
    shot, luma = output.shot_at(number), _frame(film, number)
    checked = 0
    for region in shot.scene.regions:
        role = shot.role(region)
        plain = region.opacity == 255 and region.cell is None  # others are looked through, cut or rounded
        hidden = any(other.z > region.z and other.overlaps(region) for other in shot.scene.regions)
        dest = fill(region.mode, (320, 180), (region.w, region.h)).dest
        whole = _aspect_kept(region)
        if role.face is Face.LIVE and plain and whole and not hidden and dest.w >= READABLE:
            part = luma[region.y + dest.y :, region.x + dest.x :][: dest.h, : dest.w]
            coded = read(np.ascontiguousarray(part))
            assert coded is not None, f"nothing can be read in the region of {role.uid}"
            assert coded.user == int(role.uid)
            shown = output.utc(number) // 90 - coded.at_ms
            assert 0 <= shown <= 2 * 1000 // 15, f"the picture of {role.uid} is {shown} ms old"
            checked += 1
    assert checked or path.stem not in LEGIBLE


def _aspect_kept(region: Region) -> bool:
    """Whether cropping leaves the coded cells where they are read."""
    part = fill(region.mode, (320, 180), (region.w, region.h)).source
    return (part.w, part.h) == (320, 180)


def _frame(path: Path, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with av.open(str(path)) as container:
        for n, frame in enumerate(container.decode(video=0)):
            if n == number:
                return np.asarray(frame.to_ndarray(format="gray8"))
    raise AssertionError(f"{path} has no frame {number}")


def _objects(document: object) -> Iterator[dict[str, object]]:
    """All objects of a document, itself first."""
    if isinstance(document, dict):
        yield document
    for value in (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    ):
        yield from _objects(value)


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_field_that_is_none_is_told_by_the_command(
    path: Path, calls: dict[str, Path], tmp_path: Path
) -> None:
    document = json.loads(path.read_text("utf-8"))
    for number, each in enumerate(list(_objects(document))):
        each[f"noSuchField{number}"] = 1
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(document), "utf-8")
    vendor = parse_request(path.read_text("utf-8"), path.name).vendor
    said = run("compose", calls[vendor], "--request", broken, "--plan")
    assert said.code == 2
    assert "noSuchField0: no such field" in said.err


def test_an_address_is_never_fetched(calls: dict[str, Path]) -> None:
    said = run("compose", calls["trtc"], "--request", "fixtures/requests/trtc-grid.json", "--plan")
    assert said.code == 2
    assert "is an address, and nothing is fetched: give --image" in said.err
