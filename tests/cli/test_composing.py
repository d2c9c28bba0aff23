"""The options of `recpipe compose` as a value, and the sentence for each that cannot be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from pipeline.cli import composing
from pipeline.errors import CommandError
from pipeline.layout.canvas import Mode
from pipeline.layout.encoding import VideoCodec
from pipeline.layout.looks import CameraOff, ClockMark, Corner, Image, ImageMark, Label, TextMark
from pipeline.layout.streams import Who
from pipeline.model.options import Missing, Moment, Verify
from tests.cli.running import run

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.layout.composing import Composing
    from pipeline.layout.composite import ComposeOptions


@click.command()
@composing.options
def probe(**values: Any) -> ComposeOptions:
    """The value of what is typed."""
    return composing.compose_options(values)[0]


def asked(*typed: str | Path) -> ComposeOptions:
    result = CliRunner().invoke(probe, [str(each) for each in typed], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    found: ComposeOptions = result.return_value
    return found


def wanted(*typed: str | Path) -> Composing:
    found = asked(*typed).composing
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("dest", "place", "pattern"),
    [
        pytest.param("out", "out", "", id="a folder"),
        pytest.param("out/call.mp4", "out", "call", id="a file in a folder"),
        pytest.param("call.mp4", ".", "call", id="a file here"),
        pytest.param("/call.mp4", "/", "call", id="a file at the root"),
        pytest.param("out/CALL.MP4", "out", "CALL", id="in capitals"),
        pytest.param("mix.m4a", ".", "mix", id="sound"),
        pytest.param("out/v1.2", "out/v1.2", "", id="a folder with a dot"),
        pytest.param("out/call.mp4/", "out/call.mp4/", "", id="a folder that is called like a file"),
        pytest.param("a.b/c.d.mp4", "a.b", "c.d", id="dots"),
        pytest.param("{uid}.mp4", ".", "{{uid}}", id="braces are no fields"),
        pytest.param("s3://bucket/calls/call.mp4", "s3://bucket/calls", "call", id="in a bucket"),
        pytest.param("store:call.mp4", "store:", "call", id="at the top of a store"),
        pytest.param("store:calls/call.mp4", "store:calls", "call", id="deeper in a store"),
        pytest.param("会议.mp4", ".", "会议", id="in Chinese"),
    ],
)
def test_where_a_composite_goes_and_what_it_is_called(dest: str, place: str, pattern: str) -> None:
    assert composing.into(dest, "") == (place, pattern)


def test_a_pattern_is_for_folders() -> None:
    assert composing.into("out", "{utc}") == ("out", "{utc}")
    with pytest.raises(CommandError, match=r"-o a/b\.mp4 names the file: leave --name out"):
        composing.into("a/b.mp4", "{utc}")


def test_no_options_at_all() -> None:
    found = asked()
    assert found.composing is not None
    assert (found.uids, found.start, found.end, found.files, found.fonts) == ((), None, None, (), ())
    assert found.composing.layout.name == "auto"
    assert found.composing.looks.camera_off is CameraOff.AVATAR


def test_options_of_the_recording() -> None:
    typed = ("--uid", "b", "--uid", "a", "--uid", "b", "--start", "5", "--end", "1:00", "--missing", "fail")
    found = asked(*typed, "--name", "{utc}", "--verify", "fast", "--font", "f.ttf")
    assert (found.uids, found.start, found.end) == (("b", "a"), Moment.parse("5"), Moment.parse("60"))
    assert (found.missing, found.name, found.verify) == (Missing.FAIL, "{utc}", Verify.FAST)
    assert found.fonts == ("f.ttf",)


def test_options_of_the_picture() -> None:
    found = wanted(
        *("--layout", "custom", "--vendor", "trtc", "--size", "640x360", "--background", "#112233"),
        *("--region", "0,0,0.5,1", "--region", "320,0,320,360,2", "--mode", "fit", "--camera-off", "black"),
        *("--linger", "2s", "--no-sound-only", "--labels", "--camera-off-image", "off.png"),
    )
    assert (str(found.canvas), found.canvas.background) == ("640x360", "#112233")
    assert [str(cell.place.box) for cell in found.cells] == ["0,0,0.5,1", "0.5,0,0.5,1"]
    assert [cell.place.z for cell in found.cells] == [0, 2]
    looks = found.looks
    assert (looks.mode, looks.camera_off, looks.linger_ms) == (Mode.FIT, CameraOff.BLACK, 2000)
    assert (looks.sound_only, looks.label, looks.image) == (False, Label(), Image("off.png"))


def test_options_of_encoding() -> None:
    found = wanted(
        *("--fps", "30", "--bit-rate", "500000", "--gop", "2s", "--codec", "hevc", "--encoder", "libx265"),
        *("--profile", "main", "--preset", "fast", "--audio-rate", "44100", "--audio-channels", "1"),
        *("--audio-bit-rate", "64000", "--loudness", "-16", "--max-duration", "1h"),
    )
    encoding, sound = found.encoding, found.sound
    assert encoding is not None
    assert sound is not None
    assert (encoding.fps, encoding.bit_rate, encoding.crf, encoding.gop_ms) == (30, 500_000, None, 2000)
    assert (encoding.codec, encoding.encoder) == (VideoCodec.HEVC, "libx265")
    assert (encoding.profile, encoding.preset) == ("main", "fast")
    assert (sound.rate, sound.channels, sound.bit_rate, sound.loudness) == (44_100, 1, 64_000, -16)
    assert found.most_ms == 3_600_000
    assert wanted("--tracks", "video").sound is None
    assert wanted("--tracks", "audio").encoding is None


@pytest.mark.parametrize(
    ("typed", "mark"),
    [
        pytest.param(("--logo", "a.png@1,2,30x40"), ImageMark("a.png", 1, 2, 30, 40), id="a logo"),
        pytest.param(
            ("--logo", "a@b.png@-1,-2,30x40"), ImageMark("a@b.png", -1, -2, 30, 40), id="an @ in it"
        ),
        pytest.param(("--text", "Hi@1,2"), TextMark("Hi", 1, 2), id="a text"),
        pytest.param(("--text", "Hi@1,2,30"), TextMark("Hi", 1, 2, 30), id="a large text"),
        pytest.param(("--text", "a@b@-1,2"), TextMark("a@b", -1, 2), id="an @ in the text"),
        pytest.param(("--text", "会\n议@0,0"), TextMark("会\n议", 0, 0), id="two lines of Chinese"),
        pytest.param(("--clock", "top-left"), ClockMark(Corner.TOP_LEFT), id="a clock"),
        pytest.param(("--clock", "bottom@+08:00"), ClockMark(Corner.BOTTOM, 480), id="a clock in China"),
        pytest.param(("--clock", "middle@-03:30"), ClockMark(Corner.MIDDLE, -210), id="one in the west"),
    ],
)
def test_watermarks(typed: tuple[str, str], mark: object) -> None:
    assert wanted(*typed).looks.marks == (mark,)


def test_watermarks_lie_over_one_another_images_first() -> None:
    found = wanted("--clock", "top", "--text", "x@0,0", "--logo", "a@0,0,2x2", "--text", "y@0,0")
    kinds = [type(mark).__name__ for mark in found.looks.marks]
    assert kinds == ["ImageMark", "TextMark", "TextMark", "ClockMark"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("1=Ann", "Ann"), ("1=a=b", "a=b"), ("1=张三", "张三")],
    ids=["a name", "a name with a sign", "Chinese"],
)
def test_what_users_are_called(typed: str, name: str) -> None:
    assert wanted("--call", typed).looks.names == (("1", name),)


def test_who_is_large() -> None:
    assert wanted("--large", "7:screen", "--layout", "floating").main == Who("7", "screen")


def test_images_that_options_name_are_their_own_files() -> None:
    found = asked("--backdrop", "b.png", "--logo", "l.png@0,0,2x2", "--camera-off-image", "c.png")
    assert dict(found.files) == {"b.png": "b.png", "l.png": "l.png", "c.png": "c.png"}


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    """A request by Agora with an image that has an address."""
    config = {"backgroundImage": "https://example.com/a=1.png", "mixedVideoLayout": 1}
    body = {"clientRequest": {"recordingConfig": {"transcodingConfig": config}}}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def test_a_request_with_the_file_of_its_image(request_file: Path) -> None:
    url = "https://example.com/a=1.png"
    found = asked("--request", request_file, "--image", f"{url}=own.png")
    assert dict(found.files) == {url: "own.png"}
    assert found.folder == str(request_file.parent)
    assert found.composing is not None
    assert found.composing.layout.vendor == "agora"


BAD = [
    pytest.param(("--logo", "a.png"), "--logo 'a.png': give FILE@X,Y,WxH in pixels.", id="a logo nowhere"),
    pytest.param(("--logo", "@1,2,3x4"), "--logo '@1,2,3x4': give FILE@X,Y,WxH", id="a logo of nothing"),
    pytest.param(("--logo", "a@1,2,30"), "--logo 'a@1,2,30': give", id="a logo of no size"),
    pytest.param(("--logo", "a@0,0,1x2"), "marks.0.width: ", id="a logo of a pixel"),
    pytest.param(("--logo", "a@0,0,9999x2"), "marks.0.width: ", id="a logo that is too wide"),
    pytest.param(("--text", "x"), "--text 'x': give TEXT@X,Y or TEXT@X,Y,SIZE in pixels.", id="a text"),
    pytest.param(("--text", "@1,2"), "--text '@1,2': give", id="no text"),
    pytest.param(("--text", "x@1,2,5"), "marks.0.size: ", id="letters that nobody can read"),
    pytest.param(("--text", "x@1,2,401"), "marks.0.size: ", id="letters that are too large"),
    pytest.param(("--clock", "left"), "--clock 'left': give one of top-left, top-right,", id="no corner"),
    pytest.param(("--clock", "top@8"), "--clock 'top@8': give", id="no time zone"),
    pytest.param(("--clock", "top@+15:00"), "marks.0.zone: ", id="no time zone of this world"),
    pytest.param(("--call", "ann"), "--call 'ann': give UID=NAME.", id="no name"),
    pytest.param(("--call", "=Ann"), "--call '=Ann': give UID=NAME.", id="nobody's name"),
    pytest.param(("--call", "1="), "--call '1=': give UID=NAME.", id="an empty name"),
    pytest.param(("--image", "a.png"), "--image 'a.png': give URL=FILE.", id="an image without a file"),
    pytest.param(("--image", "a="), "--image 'a=': give URL=FILE.", id="an image with an empty file"),
    pytest.param(("--size", "big"), "a size is WIDTHxHEIGHT", id="no size"),
    pytest.param(("--fps", "0"), "fps: 1 to 60, not 0", id="no pictures"),
    pytest.param(("--linger", "soon"), "linger: 'soon' is no duration", id="no duration"),
    pytest.param(("--region", "0,0,1,1"), "no other layout takes any", id="a region of no custom layout"),
    pytest.param(("--layout", "grid", "--large", "1"), "has no large region", id="nobody can be large"),
    pytest.param(("--start", "noon"), "'noon' is no moment", id="no moment"),
    pytest.param(("--request", "nowhere.json"), "--request nowhere.json cannot be read", id="no request"),
]


@pytest.mark.parametrize(("typed", "told"), BAD)
def test_what_cannot_be_read_is_one_sentence_and_the_caller_s_fault(
    typed: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    said = run("compose", tmp_path / "nowhere", "-o", tmp_path / "out", *typed)
    assert (said.code, said.out) == (2, "")
    assert told in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "is not JSON", id="nothing"),
        pytest.param("{", "is not JSON", id="half of it"),
        pytest.param("[" * 100_000, "has more than 16 objects and lists in each other", id="too deep"),
        pytest.param("[]", "is no request: it is not a JSON object.", id="a list"),
        pytest.param(
            '{"a": "' + "x" * 1_000_000 + '"}',
            "is too large for a request: at most 1000000 bytes",
            id="large",
        ),
        pytest.param("\x00", "is not JSON", id="a byte"),
    ],
)
def test_a_file_that_is_no_request(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(text, encoding="utf-8")
    said = run("compose", tmp_path / "nowhere", "-o", tmp_path / "out", "--request", path)
    assert said.code == 2
    assert told in " ".join(said.err.split())


def test_bytes_that_are_no_text_are_no_request(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_bytes(b"\xff\xfe{\xd8")
    said = run("compose", tmp_path / "nowhere", "-o", tmp_path / "out", "--request", path)
    assert said.code == 2
    assert "is no text in UTF-8" in " ".join(said.err.split())


def test_what_a_request_tells_is_not_typed_beside_it(request_file: Path, tmp_path: Path) -> None:
    typed = ("--request", request_file, "--fps", "15", "--layout", "grid")
    said = run("compose", tmp_path / "nowhere", "-o", tmp_path / "out", *typed)
    assert said.code == 2
    assert "a request tells all of the composite: leave fps, layout out." in " ".join(said.err.split())


@pytest.mark.parametrize(
    ("dest", "options", "told"),
    [
        ("call.m4a", [], "name it .mp4"),
        ("call.mp4", ["--tracks", "audio"], "name it .m4a"),
    ],
)
def test_a_file_s_name_says_what_is_in_it(dest: str, options: list[str], told: str, tmp_path: Path) -> None:
    said = run("compose", tmp_path, "-o", tmp_path / dest, *options)
    assert said.code == 2
    assert told in said.err
