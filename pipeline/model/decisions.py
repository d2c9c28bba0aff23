"""Why an output is made as it is, in sentence parts; and why it cannot be made yet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.containers import Container
from pipeline.model.losses import filling
from pipeline.model.options import Gaps, OnChange, Options
from pipeline.model.shapes import dominant, kept, odd
from pipeline.model.sound import edits_an_hour, longest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.shapes import Stretch
    from pipeline.model.slices import Format
    from pipeline.model.sound import Heard
    from pipeline.model.timeline import Run, TrackTime, UserTime

PICTURES = ("h264", "hevc", "vp8", "vp9")
BYTEVC = ("bytevc1", "bytevc2")
CODED_SIZES = ("h264", "hevc")
"""Codecs whose parameter sets tell the size of the pictures; 0 where FFmpeg cannot read them."""
SOUND = ("aac", "opus")
CHANNELS = (1, 2)


@dataclass(frozen=True, slots=True)
class Piece:
    """UTC ticks ``start`` up to ``end`` lie in the file from ``at`` (file ticks) on."""

    start: int
    end: int
    at: int

    @property
    def file_end(self) -> int:
        """File ticks where it ends."""
        return self.at + self.end - self.start


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, and why: each a sentence part."""

    what: str
    why: str


def refusal(
    shown: Sequence[Stretch],
    heard: Sequence[Heard],
    video: TrackTime | None,
    audio: TrackTime | None,
    options: Options,
) -> str:
    """Why a user cannot be merged as asked; empty when he can.

    Args:
        shown: the shapes of the pictures that would go in.
        heard: the configurations of the sound that would go in.
        video: these pictures.
        audio: the sound that would go in.
        options: what is done where pictures change, and the container.
    """
    pictures, sound = forms(video), forms(audio)
    reasons = chain(
        _reasons(pictures, sound),
        _unheld([*pictures, *sound], options.container),
        _unfit(shown, options),
        _unheard(heard, options.on_change),
    )
    return next(reasons, "")


def _unheld(found: Sequence[Format], container: Container) -> Iterator[str]:
    """What WebM does not hold; every other container takes all that can be merged, copied or encoded."""
    if container is Container.WEBM:
        yield from (
            f"{container.label} does not hold {form}, only VP8, VP9 and Opus: use --container mkv"
            for form in found
            if not container.holds(form.codec)
        )


def _unfit(shown: Sequence[Stretch], options: Options) -> Iterator[str]:
    """Why pictures that change cannot be treated as asked."""
    on_change, container = options.on_change, options.container
    shapes = list(dict.fromkeys(kept(stretch.shape, container) for stretch in shown))
    codecs = list(dict.fromkeys(shape.codec for shape in shapes))
    if len(shapes) < 2:  # noqa: PLR2004 - nothing changes
        return
    if on_change is OnChange.COPY and len(codecs) > 1:
        yield (
            f"the pictures change from {codecs[0]} to {codecs[1]}, which one track cannot hold as they are: "
            "use --on-change fit or split"
        )
    target = dominant(shown, container)
    if on_change is OnChange.FIT and (target.width % 2 or target.height % 2):
        yield f"nothing can be re-encoded into the odd size of {target}: use --on-change split"


def _unheard(heard: Sequence[Heard], on_change: OnChange) -> Iterator[str]:
    """Why sound that changes cannot be treated as asked."""
    found = list(dict.fromkeys(str(each.form) for each in heard))
    if on_change is OnChange.COPY and len({each.form for each in heard}) > 1:
        yield (
            f"the sound changes ({' -> '.join(found)}), which one track cannot hold as it is: "
            "use --on-change fit or split"
        )


def _reasons(pictures: Sequence[Format], sound: Sequence[Format]) -> Iterator[str]:
    yield from (
        f"the pictures are {form.codec.upper()}, ByteDance's own codec, which FFmpeg cannot read: "
        "record with VideoCodec 0 (H.264)"
        for form in pictures
        if form.codec in BYTEVC
    )
    nameless = [form.codec in CODED_SIZES and form.parameters and not form.width for form in pictures]
    if nameless and all(nameless):
        yield (
            f"FFmpeg cannot read the parameter sets of the {pictures[0].codec} pictures: they are damaged, "
            "or another codec under that name (Volcengine's ByteVC1, VideoCodec 1)"
        )
    yield from (
        f"the pictures are {form.codec}: only H.264, HEVC, VP8 and VP9 can be merged"
        for form in pictures
        if form.codec not in PICTURES
    )
    yield from (
        _foreign_sound(form) for form in sound if form.codec not in SOUND or form.channels not in CHANNELS
    )


def _foreign_sound(form: Format) -> str:
    if form.codec in SOUND:
        return f"the sound has {form.channels} channels: only mono and stereo can be merged yet"
    return f"the sound is {form.codec}: only AAC and Opus can be copied into MP4 yet"


def forms(track: TrackTime | None) -> list[Format]:
    """The codec parameters of a track in the order in which they appear."""
    ends = [p.piece.ends for run in (track.runs if track else ()) for p in run.placed if p.piece.ends]
    return list(dict.fromkeys(form for e in ends for form in (e.form, *(c.form for c in e.changes))))


def decisions(
    time: UserTime,
    shown: Sequence[Stretch],
    heard: Sequence[Heard],
    pieces: Sequence[Piece],
    options: Options,
) -> tuple[Decision, ...]:
    """What is done for one output and why, in the order a person would tell it.

    Args:
        time: the user, with the part of his tracks that goes in.
        shown: the shapes of his pictures.
        heard: the configurations of his sound.
        pieces: UTC to file time.
        options: what was asked for.
    """
    video, audio = time.video, time.audio
    fitted = options.on_change is OnChange.FIT
    container = options.container
    anew = odd(shown, fitted=fitted, container=container)
    heard = () if options.encodes_sound else heard
    copied = [
        *([dominant(shown, container)] if len(anew) < len(shown) else []),
        *([longest(heard)] if heard and not _all_resampled(audio, heard, options) else []),
    ]
    out = [Decision(f"copy {form}", f"{container.label} holds it as it is") for form in copied]
    out += _change_decisions(shown, options)
    out += _sound_decisions(heard, options.on_change)
    out += _clock_decisions(audio, heard, options)
    if video and audio:
        shared = "sound and picture run on one clock" if time.shared else "they have no clock in common"
        placing = "by PTS" if time.shared else "each by its own stamps"
        out.append(Decision(f"place sound and picture {placing}", shared))
    if audio and audio.start > pieces[0].start:
        late = ticks.duration(audio.start - pieces[0].start)
        out.append(Decision(f"silence for {late} from file zero", "the sound begins later"))
    if video and video.start > pieces[0].start:
        late = ticks.duration(video.start - pieces[0].start)
        nothing = "no picture" if container.wrapped else "empty edit"
        filler = "a black picture" if options.gaps is Gaps.BLACK else nothing
        out.append(Decision(f"{filler} for {late} from file zero", "the picture begins later"))
    if video and sum(form.codec in {"h264", "hevc"} for form in forms(video)) > 1:
        out.append(Decision("keep parameter sets before each key frame", "they change in mid-track"))
    out += [_gap_decision(t, options) for t in (video, audio) if t and t.gaps]
    if len(pieces) > 1:
        out.append(Decision(f"drop the time between {len(pieces)} sessions", "--gaps drop"))
    out += [
        Decision(f"move {t.medium} by {ticks.to_ms(run.moved)} ms", "it overlaps the run before it")
        for t in (video, audio)
        if t
        for run in t.runs
        if run.moved
    ]
    return tuple(out)


def _sound_decisions(heard: Sequence[Heard], on_change: OnChange) -> Iterator[Decision]:
    """What is done with sound that changes its configuration."""
    target = longest(heard) if heard else None
    for form in dict.fromkeys(each.form for each in heard if each.form != target):
        total = ticks.duration(sum(each.heard for each in heard if each.form == form))
        what = f"re-encode {total} of {form} into {target}"
        yield Decision(what, f"a track holds sound of one configuration (--on-change {on_change})")


def _resampled(audio: TrackTime | None, heard: Sequence[Heard], options: Options) -> list[Run]:
    """Runs of sound whose clock would need too many edits."""
    if audio is None or not heard:
        return []
    target = longest(heard)
    return [run for run in audio.runs if edits_an_hour(run, target) > options.max_audio_edits]


def _all_resampled(audio: TrackTime | None, heard: Sequence[Heard], options: Options) -> bool:
    return audio is not None and len(_resampled(audio, heard, options)) == len(audio.runs)


def _clock_decisions(audio: TrackTime | None, heard: Sequence[Heard], options: Options) -> Iterator[Decision]:
    """What is done with sound whose clock runs fast or slow."""
    for slope, runs in groupby(_resampled(audio, heard, options), lambda run: run.slope_ppb):
        alike = list(runs)
        total = ticks.duration(sum(run.end - run.start for run in alike))
        many = edits_an_hour(alike[0], longest(heard))
        pace = "slow" if slope > 0 else "fast"
        yield Decision(
            f"resample {total} of sound by {abs(slope) // 1000} ppm",
            f"its clock is {pace}: {many} frames an hour would go in or out, more than "
            f"{options.max_audio_edits} (--max-audio-edits)",
        )


def _change_decisions(shown: Sequence[Stretch], options: Options) -> Iterator[Decision]:
    """What is done with pictures that the file cannot hold, and with those that change their shape."""
    if not shown:
        return
    on_change, container = options.on_change, options.container
    target = dominant(shown, container)
    unheld = [stretch for stretch in shown if kept(stretch.shape, container) != stretch.shape]
    if unheld:
        what = f"re-encode {_total(unheld)} into {target}"
        yield Decision(what, f"{container.label} holds no {unheld[0].shape.codec.upper()}")
    others = [s for s in shown if s.shape != target and s not in unheld]
    if not others:
        return
    if on_change is OnChange.FIT:
        what = f"re-encode {_total(others)} into {target}"
        yield Decision(what, "a track shows one size and rotation (--on-change fit)")
    else:
        what = f"keep {_total(others)} as they are in a track of {target}"
        yield Decision(
            what, f"some players stop, stretch or lie on their side there (--on-change {on_change})"
        )


def _total(these: Sequence[Stretch]) -> str:
    shapes = ", ".join(dict.fromkeys(str(stretch.shape) for stretch in these))
    return f"{ticks.duration(sum(stretch.shown for stretch in these))} of {shapes}"


def _gap_decision(track: TrackTime, options: Options) -> Decision:
    total = ticks.duration(sum(gap.end - gap.start for gap in track.gaps))
    many = f"{len(track.gaps)} gap{'s' if len(track.gaps) > 1 else ''} of {total} in all"
    longest = max(gap.end - gap.start for gap in track.gaps)
    how = filling(track.medium, longest, options.gaps)
    return Decision(
        f"{how} in {many}",
        "; ".join(dict.fromkeys(gap.why for gap in track.gaps)) + f" (--gaps {options.gaps})",
    )
