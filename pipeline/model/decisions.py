"""Why an output is made as it is, in sentence parts; and why it cannot be made yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import Format, Medium, User

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.model.options import Options
    from pipeline.model.timeline import TrackTime, UserTime

PICTURES = ("h264", "hevc")
SOUND = "aac"
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


def refusal(user: User, video: TrackTime | None, audio: TrackTime | None, turns: Sequence[int]) -> str:
    """Why a user cannot be merged by copy; empty when he can.

    Args:
        user: as found, with the slices that could not be read.
        video: the pictures that would go in.
        audio: the sound that would go in.
        turns: the rotations of its pictures in degrees; more than one is a change in mid-track.
    """
    return next(_reasons(user, forms(video), forms(audio), turns), "")


def _reasons(
    user: User, pictures: Sequence[Format], sound: Sequence[Format], turns: Sequence[int]
) -> Iterator[str]:
    slices = [s for t in user.tracks for s in t.slices]
    yield from (
        f"{s.key} is WebM: only MPEG-TS slices can be merged yet"
        for s in slices
        if s.key.lower().endswith(".webm")
    )
    yield from (
        f"the pictures are {form.codec}: only H.264 and HEVC can be copied into MP4 yet"
        for form in pictures
        if form.codec not in PICTURES
    )
    yield from (
        _foreign_sound(form) for form in sound if form.codec != SOUND or form.channels not in CHANNELS
    )
    not_built = "merging changes is not built yet"
    if len({(f.codec, f.width, f.height) for f in pictures}) > 1:
        yield f"the pictures change in mid-track ({_changes(pictures)}): {not_built}"
    if len(pictures) > 1 and pictures[0].codec == "hevc":
        yield f"the HEVC parameter sets change in mid-track: {not_built}"
    if len(sound) > 1:
        yield f"the sound changes in mid-track ({_changes(sound)}): {not_built}"
    if len(turns) > 1 or any(s.turns_inside for s in slices):
        yield f"the rotation changes in mid-track ({' -> '.join(map(str, turns))} degrees): {not_built}"


def _foreign_sound(form: Format) -> str:
    if form.codec == SOUND:
        return f"the sound has {form.channels} channels: only mono and stereo can be merged yet"
    return f"the sound is {form.codec}: only AAC can be copied into MP4 yet"


def forms(track: TrackTime | None) -> list[Format]:
    """The codec parameters of a track in the order in which they appear."""
    found = (p.piece.ends.form for run in (track.runs if track else ()) for p in run.placed if p.piece.ends)
    return list(dict.fromkeys(found))


def _changes(forms: Sequence[Format]) -> str:
    return " -> ".join(dict.fromkeys(str(form) for form in forms))


def decisions(
    time: UserTime,
    video: TrackTime | None,
    audio: TrackTime | None,
    pieces: Sequence[Piece],
    options: Options,
) -> tuple[Decision, ...]:
    """What is done for one output and why, in the order a person would tell it."""
    out = [
        Decision(f"copy {form}", "MP4 holds it as it is") for form in (*forms(video)[:1], *forms(audio)[:1])
    ]
    if video and audio:
        shared = "sound and picture run on one clock" if time.shared else "their clocks differ by over 150 ms"
        placing = "by PTS" if time.shared else "each by its own stamps"
        out.append(Decision(f"place sound and picture {placing}", shared))
    if audio and audio.start > pieces[0].start:
        late = ticks.duration(audio.start - pieces[0].start)
        out.append(Decision(f"silence for {late} from file zero", "the sound begins later"))
    if video and video.start > pieces[0].start:
        late = ticks.duration(video.start - pieces[0].start)
        out.append(Decision(f"empty edit for {late} from file zero", "the picture begins later"))
    if video and len(forms(video)) > 1:
        out.append(Decision("keep parameter sets before each IDR", "they change when the user comes back"))
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


def _gap_decision(track: TrackTime, options: Options) -> Decision:
    total = ticks.duration(sum(gap.end - gap.start for gap in track.gaps))
    many = f"{len(track.gaps)} gap{'s' if len(track.gaps) > 1 else ''} of {total} in all"
    how = "silence" if track.medium is Medium.AUDIO else "the last picture held"
    return Decision(
        f"{how} in {many}",
        "; ".join(dict.fromkeys(gap.why for gap in track.gaps)) + f" (--gaps {options.gaps})",
    )
