"""The options of `recpipe compose` that decide what comes out, and their way into `ComposeOptions`."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pipeline.errors import CommandError
from pipeline.layout.canvas import Mode
from pipeline.layout.encoding import VideoCodec
from pipeline.layout.looks import CameraOff, Corner
from pipeline.model.options import Missing, Moment, Tracks, Verify
from pipeline.vendors.layouts import AUTO, NAMES, TEMPLATES

if TYPE_CHECKING:
    from enum import StrEnum

    from pipeline.cli import wishes
    from pipeline.layout.composite import ComposeOptions

MOST_REQUEST_BYTES = 1_000_000
_LOGO = re.compile(r"(.+)@(-?\d{1,5}),(-?\d{1,5}),(\d{1,5})x(\d{1,5})", re.DOTALL)
_TEXT = re.compile(r"(.+)@(-?\d{1,5}),(-?\d{1,5})(?:,(\d{1,3}))?", re.DOTALL)
_CLOCK = re.compile(r"([a-z-]+)(?:@([+-]\d{2}:\d{2}))?", re.ASCII)
_FILES = ("mp4", "m4a")


def _of(kind: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([str(each) for each in kind])


LAYOUT = (
    click.option(
        "--layout", type=click.Choice(NAMES), default=AUTO, show_default=True, help="How users are arranged."
    ),
    click.option(
        "--vendor",
        type=click.Choice(list(TEMPLATES)),
        help="Arrange them as this cloud does, in its numbers.",
    ),
    click.option("--size", metavar="WxH", help="Of the canvas.  [default: the cloud's; 1280x720]"),
    click.option(
        "--large",
        metavar="UID",
        help="Who is large: UID, UID:screen; of --preview the number.  [default: as the layout says]",
    ),
    click.option("--large-right", is_flag=True, help="The large one at the right: --layout screen."),
    click.option(
        "--region",
        "regions",
        multiple=True,
        metavar="X,Y,W,H[,Z]",
        help="Of --layout custom, one for each user: fractions of the canvas, or pixels; larger Z in front.",
    ),
)
"""What a scene is made of, drawn alone or rendered."""

_REQUEST = (
    click.option(
        "--request",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The JSON that would be posted to Agora, TRTC or Volcengine, in place of these options.",
    ),
    click.option(
        "--request-version", "version", default="", metavar="DATE", help="Of Volcengine's API: 2023-11-01."
    ),
    click.option(
        "--image",
        "given",
        multiple=True,
        metavar="URL=FILE",
        help="The file of an image that the request names; nothing is ever fetched.",
    ),
)
_LOOKS = (
    click.option("--background", default="#000000", show_default=True, metavar="#RRGGBB"),
    click.option("--backdrop", metavar="FILE", help="An image behind everything."),
    click.option("--mode", type=_of(Mode), help="How pictures fill regions.  [default: as the layout says]"),
    click.option(
        "--camera-off",
        type=_of(CameraOff),
        default=str(CameraOff.AVATAR),
        show_default=True,
        help="What the region of a camera that is off shows.",
    ),
    click.option("--camera-off-image", metavar="FILE", help="An image in its place."),
    click.option(
        "--linger",
        default="1s",
        show_default=True,
        metavar="DURATION",
        help="So long after its last picture a camera counts as on.",
    ),
    click.option("--no-sound-only", is_flag=True, help="Who sends no pictures gets no region."),
    click.option("--labels", is_flag=True, help="Write names into the regions."),
    click.option("--call", "names", multiple=True, metavar="UID=NAME", help="What a user is called."),
    click.option("--font", "fonts", multiple=True, metavar="FILE", help="A font to write with first."),
    click.option("--logo", "logos", multiple=True, metavar="FILE@X,Y,WxH", help="An image as a watermark."),
    click.option("--text", "texts", multiple=True, metavar="TEXT@X,Y[,SIZE]", help="Text as a watermark."),
    click.option(
        "--clock",
        "clocks",
        multiple=True,
        metavar="CORNER[@+08:00]",
        help=f"The running time as a watermark: {', '.join(Corner)}.",
    ),
)
_ENCODING = (
    click.option("--fps", type=int, default=15, show_default=True, help="Pictures a second, 1 to 60."),
    click.option("--bit-rate", type=int, metavar="BITS", help="A second.  [default: constant quality]"),
    click.option("--crf", type=int, help="That quality.  [default: 23, of HEVC 26]"),
    click.option("--gop", default="4s", show_default=True, metavar="DURATION", help="Between key frames."),
    click.option("--codec", type=_of(VideoCodec), default=str(VideoCodec.H264), show_default=True),
    click.option("--encoder", default="", help="Such as h264_nvenc.  [default: x264 or x265]"),
    click.option("--profile", default="", help="Such as main.  [default: the encoder's]"),
    click.option("--preset", default="veryfast", show_default=True, help="Of x264 and x265."),
    click.option("--audio-rate", type=int, default=48_000, show_default=True, metavar="HZ"),
    click.option("--audio-channels", type=int, default=2, show_default=True),
    click.option("--audio-bit-rate", type=int, default=128_000, show_default=True, metavar="BITS"),
    click.option("--loudness", type=int, metavar="LUFS", help="Bring the mix to it, such as -16."),
    click.option("--tracks", type=_of(Tracks), default=str(Tracks.BOTH), show_default=True),
    click.option(
        "--max-duration", metavar="DURATION", help="A file is at most so long; the next goes on there."
    ),
)
_PART = (
    click.option("--uid", "uids", multiple=True, metavar="U", help="Only this user; may be given again."),
    click.option("--start", metavar="T", help="Begin here: UTC, or h:mm:ss from the beginning."),
    click.option("--end", metavar="T", help="End here; as --start."),
    click.option(
        "--missing",
        type=_of(Missing),
        default=str(Missing.FILL),
        show_default=True,
        help="A listed slice that is not there: fill its time, or fail.",
    ),
    click.option("--name", default="", metavar="PATTERN", help="Of the file, as merge has it."),
    click.option(
        "--verify",
        type=_of(Verify),
        default=str(Verify.FULL),
        show_default=True,
        help="How much of each file is checked after it was written.",
    ),
)
_OWN = {
    "layout": "layout",
    "vendor": "vendor",
    "size": "size",
    "large": "large",
    "large_right": "large_right",
    "background": "background",
    "backdrop": "backdrop",
    "mode": "mode",
    "camera_off": "camera_off",
    "camera_off_image": "image",
    "linger": "linger",
    "labels": "labels",
    "fps": "fps",
    "bit_rate": "bit_rate",
    "crf": "crf",
    "gop": "gop",
    "codec": "codec",
    "encoder": "encoder",
    "profile": "profile",
    "preset": "preset",
    "audio_rate": "audio_rate",
    "audio_channels": "audio_channels",
    "audio_bit_rate": "audio_bit_rate",
    "loudness": "loudness",
    "tracks": "tracks",
    "max_duration": "max_duration",
    "version": "version",
}
"""Options and the fields of a composite's document that they are."""


def options(function: wishes.Function) -> wishes.Function:
    """All options that decide what a composite is."""
    every = (*LAYOUT, *_REQUEST, *_LOOKS, *_ENCODING, *_PART)
    return reduce(lambda f, decorator: decorator(f), reversed(every), function)


def compose_options(values: dict[str, Any]) -> tuple[ComposeOptions, tuple[str, ...]]:
    """What was typed as a value, and sentences about what means nothing here.

    Raises:
        CommandError: what is wrong with it.
    """
    from pipeline.job.compose_json import composing_of, parse_composite
    from pipeline.layout.composite import ComposeOptions

    request: Path | None = values["request"]
    text = None if request is None else _read(request)
    asked = parse_composite(_document(values, text))
    composing, notes = composing_of(asked, str(request) if request else "the options", text)
    given = _pairs(values["given"], "--image", "URL=FILE")
    files = {**_own_files(values), **given}
    start, end = values["start"], values["end"]
    wanted = ComposeOptions(
        uids=tuple(dict.fromkeys(values["uids"])),
        start=None if start is None else Moment.parse(start),
        end=None if end is None else Moment.parse(end),
        missing=Missing(values["missing"]),
        name=values["name"],
        verify=Verify(values["verify"]),
        composing=composing,
        files=tuple(sorted(files.items())),
        folder=str(request.parent) if request else ".",
        fonts=tuple(values["fonts"]),
    )
    return wanted, notes


def into(dest: str, name: str) -> tuple[str, str]:
    """The place and the pattern of names of what was typed as -o: a file's name is a pattern too.

    >>> into("out/call.mp4", ""), into("out", "")
    (('out', 'call'), ('out', ''))
    """
    folder, slash, file = dest.rpartition("/")
    stem, dot, ending = file.rpartition(".")
    if not dot or ending.lower() not in _FILES:
        return dest, name
    if name:
        raise CommandError(f"-o {dest} names the file: leave --name out.")
    pattern = stem.replace("{", "{{").replace("}", "}}")
    if slash:
        return folder or "/", pattern
    store, colon, own = stem.partition(":")
    return (f"{store}:", own) if colon else (".", pattern)


def check_ending(dest: str, *, pictures: bool) -> None:
    """Raise CommandError where the name of a file says something else than what comes out."""
    ending = dest.lower().rpartition(".")[2]
    if ending in _FILES and (ending == "mp4") is not pictures:
        what = "pictures: name it .mp4" if pictures else "sound alone: name it .m4a"
        raise CommandError(f"-o {dest}: the file has {what}.")


def _document(values: dict[str, Any], request: str | None) -> dict[str, Any]:
    """What was typed, as the document of a job has it."""
    context = click.get_current_context()
    typed = {
        name for name in values if context.get_parameter_source(name) not in {ParameterSource.DEFAULT, None}
    }
    out: dict[str, Any] = {
        field: values[name] for name, field in _OWN.items() if name in typed and values[name] is not None
    }
    if values["no_sound_only"]:
        out["sound_only"] = False
    if values["regions"]:
        out["cells"] = [{"region": text} for text in values["regions"]]
    if values["names"]:
        out["names"] = _pairs(values["names"], "--call", "UID=NAME")
    marks = [*map(_logo, values["logos"]), *map(_text, values["texts"]), *map(_clock, values["clocks"])]
    if marks:
        out["marks"] = marks
    if request is not None:
        out["request"] = {}  # its text is read by whoever knows the clouds
    return out


def _own_files(values: dict[str, Any]) -> dict[str, str]:
    """Images that the options name: each is its own file."""
    named = [
        values["backdrop"],
        values["camera_off_image"],
        *(_logo(text)["image"] for text in values["logos"]),
    ]
    return {ref: ref for ref in named if ref is not None}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_REQUEST_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"--request {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"--request {path} is no text in UTF-8.") from error


def _pairs(texts: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    """What stands behind the last ``=`` of each, by what stands before it."""
    out = {}
    for text in texts:
        name, equals, value = text.rpartition("=") if option == "--image" else text.partition("=")
        if not equals or not name or not value:
            raise CommandError(f"{option} {text!r}: give {form}.")
        out[name] = value
    return out


def _logo(text: str) -> dict[str, Any]:
    found = _LOGO.fullmatch(text)
    if not found:
        raise CommandError(f"--logo {text!r}: give FILE@X,Y,WxH in pixels.")
    x, y, width, height = map(int, found.groups()[1:])
    return {"image": found[1], "x": x, "y": y, "width": width, "height": height}


def _text(text: str) -> dict[str, Any]:
    found = _TEXT.fullmatch(text)
    if not found:
        raise CommandError(f"--text {text!r}: give TEXT@X,Y or TEXT@X,Y,SIZE in pixels.")
    return {"text": found[1], "x": int(found[2]), "y": int(found[3]), "size": int(found[4] or 14)}


def _clock(text: str) -> dict[str, Any]:
    found = _CLOCK.fullmatch(text)
    if not found or found[1] not in set(Corner):
        raise CommandError(f"--clock {text!r}: give one of {', '.join(Corner)}, and @+08:00 for a time zone.")
    return {"corner": found[1], "zone": found[2] or "+00:00"}
