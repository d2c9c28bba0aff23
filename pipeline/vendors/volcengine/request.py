"""Volcengine's request for a mixed recording (``StartRecord``): what each of its fields means here.

Ranges and defaults are those of the pages of the four versions. Up to 2023-06-01 the service turns an
optional value that is wrong into its default in silence; here it is an error in all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.layout.canvas import Canvas
from pipeline.layout.composing import Composing
from pipeline.layout.encoding import Encoding, SoundEncoding, VideoCodec
from pipeline.layout.looks import CameraOff, Looks
from pipeline.layout.streams import CAMERA, SCREEN, Choice, Streams, Who
from pipeline.vendors.layouts import CUSTOM, Wish
from pipeline.vendors.volcengine.layouts import LIMIT
from pipeline.vendors.volcengine.parts import FRACTIONS, NEWEST, VERSIONS, Stream, image, regions, streams

if TYPE_CHECKING:
    from pipeline.vendors.fields import Fields
    from pipeline.vendors.volcengine.parts import Part

MARKS = frozenset(
    {
        "Layout",
        "Encode",
        "TargetStreams",
        "ExcludeStreams",
        "Control",
        "RecordMode",
        "StorageConfig",
        "FileFormatConfig",
        "FileNameConfig",
    }
)
LAYOUTS = {0: "best-fit", 1: "vertical", 2: CUSTOM, 3: "side-by-side"}
FORMATS = ("MP4", "HLS", "FLV", "MP3", "AAC", "M4A")
SOUND_FORMATS = frozenset({"MP3", "AAC", "M4A"})
CODECS = {0: VideoCodec.H264, 1: VideoCodec.HEVC}
PROFILES = {0: "", 1: "HE-AAC v1", 2: "HE-AAC v2"}
FILLS = {0: CameraOff.HOLD, 1: CameraOff.BLACK}
RATES = {rate: rate for rate in (48_000, 44_100, 32_000)}
MOST_SECONDS = 2**31 - 1
_ID = re.compile(r"[a-zA-Z0-9_@\-.]{1,128}", re.ASCII)
_ID_SAYS = "1 to 128 of letters, digits and _ @ - ."
_NAMED = "not used, the recording is the one that the command names"
_STORED = "not used, the command says where files go"
_LIVE = "not used, the call is over"


def composing(whole: Fields, version: str = "") -> Composing:
    """What the request asks for; faults and notes go into ``whole.told``.

    Args:
        whole: the document.
        version: of the API, where the caller knows it.
    """
    for name in ("AppId", "BusinessId", "RoomId", "TaskId"):
        if whole.matching(name, _ID, _ID_SAYS):
            whole.note(name, _NAMED)
    whole.ignore("not used, nothing is posted", "Action")
    whole.ignore(_STORED, "StorageConfig", "FileNameConfig", "Vod", "RecordFileNamePattern")
    if whole.one_of("RecordMode", {0: False, 1: True}, 0):
        whole.fault(
            "RecordMode",
            "0 for a composite, since 1 asks for a file for each user, which recpipe merge makes",
        )
    layout = whole.part("Layout")
    custom = layout.part("CustomLayout")
    version = _version(whole, version, custom)
    name = layout.one_of("LayoutMode", LAYOUTS, 0)
    control = whole.part("Control")
    sound_alone = control.one_of("MediaType", {0: False, 1: True}, 0)
    _formats(whole, sound_alone=sound_alone)
    encode = whole.part("Encode")
    canvas = _canvas(encode, custom, custom=name == CUSTOM)
    targets, but = _streams(whole)
    if sound_alone:
        whole.remark("not used, Control.MediaType asks for sound alone", "Layout")
    parts = regions(custom, canvas, targets, version) if name == CUSTOM else ()
    if name != CUSTOM:
        layout.ignore("not used, only LayoutMode 2 has regions", "CustomLayout")
    return Composing(
        canvas=canvas,
        layout=_wish(name, parts),
        streams=_taking_part(targets, but, parts),
        main=_main(layout, name, targets),
        cells=tuple(part.cell for part in parts if part.drawn),
        looks=_looks(control, custom, parts, custom=name == CUSTOM),
        encoding=_pictures(encode, version, sound_alone=sound_alone),
        sound=_sound(encode),
    )


def _version(whole: Fields, told: str, custom: Fields) -> str:
    """Of the API; the older ones have fractions, the newest has pixels, under the same names."""
    stated = whole.word("Version", VERSIONS, "")
    if told and told not in VERSIONS:
        whole.fault("Version", f"{', '.join(VERSIONS)}, and the command says another")
    elif told and stated and told != stated:
        whole.fault("Version", f"{stated}, and the command says {told}")
    if told in VERSIONS or stated:
        return told if told in VERSIONS else stated
    return FRACTIONS if custom.any_has("Regions", "WidthProportion", "HeightProportion") else NEWEST


def _formats(whole: Fields, *, sound_alone: bool) -> None:
    files = whole.part("FileFormatConfig")
    asked = files.words("FileFormat", FORMATS)
    if asked:
        files.note("FileFormat", "done as MP4")
    if not sound_alone and SOUND_FORMATS & set(asked):
        files.fault("FileFormat", "MP3, AAC and M4A only with Control.MediaType 1")


def _canvas(encode: Fields, layout: Fields, *, custom: bool) -> Canvas:
    width, height = (
        encode.whole(name, 2, 1920, default, even=True)
        for name, default in (("VideoWidth", 640), ("VideoHeight", 480))
    )
    if not custom:
        return Canvas(width, height)
    encode.ignore("not used, LayoutMode 2 has a Canvas", "VideoWidth", "VideoHeight")
    canvas = layout.part("Canvas")
    width, height = (
        canvas.whole(name, 2, 1920, default, even=True) for name, default in (("Width", 640), ("Height", 480))
    )
    if canvas.faulty("Width", "Height"):
        width = height = 1920  # no region is to blame for that
    return Canvas(width, height, canvas.colour("Background", "#000000"))


def _streams(whole: Fields) -> tuple[tuple[Stream, ...], tuple[Who, ...]]:
    """The streams that are asked for, none for all, and those that are left out."""
    targets = streams(whole.part("TargetStreams"), LIMIT.value)
    part = whole.part("ExcludeStreams")
    excluded = streams(part, LIMIT.value)
    for number, stream in enumerate(excluded):
        if stream.who.source == SCREEN:
            part.fault(f"StreamList[{number}].StreamType", "0, a shared screen cannot be left out, not 1")
        elif stream.who in {each.who for each in targets}:
            part.fault(f"StreamList[{number}].UserId", "is one of TargetStreams too")
    return targets, tuple(each.who for each in excluded)


def _wish(name: str, parts: tuple[Part, ...]) -> Wish:
    places = tuple(part.cell.place for part in parts if part.drawn)
    if name == CUSTOM and not places:
        return Wish("best-fit", "volcengine")  # its fault is told
    return Wish(name, "volcengine", places=places)


def _taking_part(targets: tuple[Stream, ...], but: tuple[Who, ...], parts: tuple[Part, ...]) -> Streams:
    only = tuple(each.who for each in targets) or None
    if not parts:
        return Streams(Choice(only, but), Choice(only, but))
    drawn = tuple(part.who for part in parts if part.drawn)
    heard = tuple(part.who for part in parts if part.heard)
    return Streams(Choice(drawn, but), Choice(heard, but))


def _main(layout: Fields, name: str, targets: tuple[Stream, ...]) -> Who | None:
    if name != "vertical":
        layout.ignore(
            "not used, only LayoutMode 1 has a main stream", "MainVideoStream", "MainVideoStreamIndex"
        )
        return None
    if layout.has("MainVideoStreamIndex"):
        layout.ignore("not used, MainVideoStreamIndex names the stream", "MainVideoStream")
        index = layout.whole("MainVideoStreamIndex", 0, MOST_SECONDS)
        found = next((each.who for each in targets if each.index == index), None)
        if found is None:
            layout.fault("MainVideoStreamIndex", f"no stream of TargetStreams has the Index {index}")
        return found
    if not layout.has("MainVideoStream"):
        return None
    stream = layout.part("MainVideoStream")
    stream.ignore("not used, UserId and StreamType name the stream", "Index")
    source = stream.one_of("StreamType", {0: CAMERA, 1: SCREEN}, 0)
    return Who(stream.text("UserId"), source)


def _looks(control: Fields, layout: Fields, parts: tuple[Part, ...], *, custom: bool) -> Looks:
    control.ignored_whole("MaxIdleTime", 10, 86_400, _LIVE)
    control.ignored_whole("MaxRecordTime", 0, MOST_SECONDS, "not used, all of the recording is composed")
    control.ignored_whole("MaxSilenceSeconds", 60, 3600, _LIVE)
    control.ignore(_STORED, "EnableSyncUpload")
    pushing = ("PushStreamMode", "SEIConfig", "TalkVolume", "VolumeIndicationMode")
    control.ignore("not used, it is of live streams", *pushing, "VolumeIndicationInterval")
    control.ignore("not used, sound is mixed where it is", "SpatialConfig")
    off = control.one_of("FrameInterpolationMode", FILLS, 0)
    if not custom:
        control.ignore("not used, only regions of LayoutMode 2 are filled", "FrameInterpolationMode")
        return Looks(camera_off=CameraOff.HOLD)
    if off is CameraOff.BLACK and any(part.drawn and part.who.source == SCREEN for part in parts):
        control.note(
            "FrameInterpolationMode", "done for shared screens too, where Volcengine leaves the last"
        )
    backdrop = image(layout.part("Canvas"), "BackgroundImage")
    return Looks(backdrop=backdrop, camera_off=off)


def _pictures(encode: Fields, version: str, *, sound_alone: bool) -> Encoding | None:
    auto_is_zero = version == NEWEST
    rate = encode.whole("VideoBitrate", 0 if auto_is_zero else 1, 10_000, 0)
    codec = encode.one_of("VideoCodec", CODECS, 0)
    if codec is VideoCodec.HEVC:
        encode.note("VideoCodec", "ByteVC1 is done as HEVC")
    encoding = Encoding(
        fps=encode.whole("VideoFps", 1, 60, 15),
        bit_rate=rate * 1000 or None,
        gop_ms=encode.whole("VideoGop", 1, 5, 4) * 1000,
        codec=codec,
    )
    return None if sound_alone else encoding


def _sound(encode: Fields) -> SoundEncoding:
    encode.one_of("AudioCodec", {0: "AAC"}, 0)
    asked = encode.one_of("AudioProfile", PROFILES, 0)
    channels = encode.one_of("AudioChannels", {1: 1, 2: 2}, 2)
    rate = encode.whole("AudioBitrate", 32, 192, 64)
    most = {"": 192, "HE-AAC v1": 128 if channels > 1 else 64, "HE-AAC v2": 64}[asked]
    if asked:
        encode.note("AudioProfile", f"{asked} is done as AAC-LC")
    if asked == PROFILES[2] and channels == 1:
        encode.fault("AudioChannels", "2 with AudioProfile 2, not 1")
    if rate > most:
        encode.note("AudioBitrate", f"{rate} is done as {most}, the most of {asked}")
    return SoundEncoding(
        rate=encode.one_of("AudioSampleRate", RATES, 48_000),
        channels=channels,
        bit_rate=min(rate, most) * 1000,
        asked=asked,
    )
