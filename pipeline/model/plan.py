"""The plan: for every user what file comes out, how, and why; what cannot be done is refused with the reason.

Everything that merge does was decided here first, from the timeline and the options.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.model import losses, ticks
from pipeline.model.containers import Container
from pipeline.model.decisions import Decision, Piece, decisions, forms, refusal
from pipeline.model.estimate import Estimate, estimate_of
from pipeline.model.mixing import BIT_RATES, ENCODED_RATE, Speaker, encoded, mixed
from pipeline.model.naming import names
from pipeline.model.options import Align, By, Gaps, OnChange, Options, Screen, Tracks
from pipeline.model.outputs import MIXED, fill
from pipeline.model.screens import SCREEN, left_out, notes_of, shown
from pipeline.model.shapes import Shape, Stretch, dominant, odd, stretches
from pipeline.model.slices import Format, Medium, Recording
from pipeline.model.sound import configurations, edits_an_hour, longest
from pipeline.model.stamps import stamp17
from pipeline.model.timeline import ABSENT, Run, TrackTime, UserTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.model.ledger import Entry
    from pipeline.model.naming import Naming
    from pipeline.model.screens import Left, Shown
    from pipeline.model.sound import Heard


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """One file to make.

    Attributes:
        file: its name, unique within the recording.
        zero: UTC ticks of file zero.
        pieces: UTC to file time, in order; one unless time is dropped.
        video: the pictures; None if it has none.
        audio: the sound; None if it has none.
        shape: of the pictures; None if it has none.
        sound: configuration of the sound, into which all other is re-encoded; None if it has none.
        max_audio_edits: as in `Options`.
        container: what the file is.
        speakers: whose sound is decoded and encoded; none where it is copied.
        loudness: LUFS that it is brought to; None leaves it as it is.
        odd: pictures of other shapes, which are re-encoded into it.
        black: holes between pictures are filled with a black one.
        refusal: why it cannot be made; empty when it can.
    """

    file: str
    uid: str
    source: str
    zero: int
    pieces: tuple[Piece, ...]
    video: TrackTime | None
    audio: TrackTime | None
    shape: Shape | None
    sound: Format | None
    max_audio_edits: int
    odd: tuple[Stretch, ...]
    black: bool
    shared_clock: bool
    decisions: tuple[Decision, ...]
    estimate: Estimate
    container: Container = Container.MP4
    refusal: str = ""
    speakers: tuple[Speaker, ...] = ()
    loudness: int | None = None

    @property
    def tracks(self) -> tuple[TrackTime, ...]:
        """What goes in, pictures first."""
        own = tuple(t for t in (self.video, self.audio) if t is not None)
        return own or tuple(speaker.audio for speaker in self.speakers)

    @property
    def composed(self) -> bool:
        """All users go into one picture."""
        return False

    @property
    def pictures(self) -> bool:
        """Whether the file has any."""
        return self.video is not None

    @property
    def channels(self) -> int:
        """Of sound that is encoded: as many as any of the speakers has."""
        return max((form.channels for s in self.speakers for form in forms(s.audio)), default=0)

    @property
    def bit_rate(self) -> int:
        """Bits a second of sound that is encoded."""
        return BIT_RATES[self.channels]

    @property
    def rate(self) -> int:
        """Samples a second of sound that is encoded."""
        return ENCODED_RATE

    @property
    def reading(self) -> tuple[tuple[str, ...], ...]:
        """Keys of the slices that are read to make it, each track's in order; twice for a loudness."""
        tracks = [[p.piece.key for run in t.runs for p in run.placed] for t in self.tracks]
        once = tuple(tuple(dict.fromkeys(keys)) for keys in tracks)
        return once * (2 if self.loudness is not None else 1)

    @property
    def reads(self) -> int:
        """Bytes of slices that are read to make it."""
        sizes = {p.piece.key: p.piece.size for t in self.tracks for run in t.runs for p in run.placed}
        return sum(sizes.values()) * (2 if self.loudness is not None else 1)

    def resamples(self, run: Run) -> bool:
        """Whether the sound of a run is resampled because its clock would need too many edits."""
        return self.sound is not None and edits_an_hour(run, self.sound) > self.max_audio_edits

    @property
    def encodes(self) -> bool:
        """Pictures are made that were not recorded, under parameter sets of their own."""
        return self.black or bool(self.odd)

    @property
    def streamable(self) -> bool:
        """It can leave while it is made: its packets are copied into an MP4, whose media comes in order."""
        return not (self.encodes or self.speakers or self.container.wrapped)

    @property
    def in_band(self) -> bool:
        """Parameter sets of HEVC must stand in the samples, because there is more than one."""
        return (
            self.shape is not None
            and self.shape.codec == "hevc"
            and len(forms(self.video)) + self.encodes > 1
        )

    @property
    def scratch(self) -> int:
        """Bytes on the disk, about, that are needed only while it is made."""
        return self.estimate.size if self.container.wrapped else 0

    @property
    def temporary(self) -> int:
        """Bytes on the disk, about, while it is made for a store; 0 where it leaves while it is made."""
        return 0 if self.streamable else self.estimate.size + self.scratch

    @property
    def duration(self) -> int:
        """File ticks."""
        return self.pieces[-1].file_end

    @property
    def picture_end(self) -> int:
        """File ticks where the pictures end; 0 without pictures."""
        last = self.pieces[-1]
        end = self.video.end if self.video else last.start
        return last.at + min(max(end, last.start), last.end) - last.start if self.video else 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What merge does with one recording."""

    recording: Recording
    outputs: tuple[OutputPlan, ...]
    ledger: tuple[Entry, ...]
    options: Options


@dataclass(frozen=True, slots=True)
class Cut:
    """UTC ticks between which a user's media is kept, already snapped outwards to key frames."""

    start: int
    end: int


def plan(
    recording: Recording,
    times: Sequence[UserTime],
    options: Options,
    *,
    cuts: Mapping[tuple[str, str], Cut] | None = None,
    joints: Mapping[tuple[str, str], Sequence[int]] | None = None,
    notes: Sequence[Entry] = (),
    naming: Naming | None = None,
) -> Plan:
    """Decide the outputs of a recording.

    Args:
        recording: what was found, of the users that the options select.
        times: those users on UTC; one without a readable slice has none.
        options: what the caller asked for.
        cuts: by ``(uid, source)`` where --start or --end is given.
        joints: by ``(uid, source)`` the UTC ticks at which his file is split.
        notes: what reading the recording has put into the ledger.
        naming: what the files are called, where that is not a pattern of ours.

    Raises:
        CommandError: the options' pattern is none, or the naming has no name for a file.
    """
    asked, options = options, replace(options, name=options.name if naming is None else "")
    left = left_out(recording.users, options.screen)
    seen = shown(times, options.screen, left)
    chosen = [(t, each) for each in seen if (t := _only(each.time, options.tracks)) is not None]
    first = min((t.start for t, _ in chosen), default=0)
    drafts: list[OutputPlan] = []
    for time, each in chosen:
        cut = (cuts or {}).get((time.uid, time.source), Cut(time.start, time.end))
        zero = first if options.align is Align.RECORDING else None
        drafts += [
            _output(time, options, stays, zero=zero, recording=recording.name, screen=each.decisions)
            for stays in _split(_stays(time, options, cut), (joints or {}).get((time.uid, time.source), ()))
            if any(within(track, stays[0][0], stays[-1][1]) for track in time.tracks)
        ]
    if options.mix:
        drafts = mixed(drafts, options, recording.name)
    else:
        drafts = [encoded(draft, options) for draft in drafts]
    outputs = tuple(replace(d, file=name) for d, name in zip(drafts, names(drafts, naming), strict=True))
    placed = [(time.uid, track) for time, _ in chosen for track in time.tracks]
    told = [
        *notes_of(times, left),
        *_of_slices(recording, times, seen, left),
        *(entry for each in seen for entry in each.entries),
        *(entry for uid, track in placed for entry in losses.of_gaps(uid, track, options.gaps)),
        *(entry for uid, track in placed for entry in losses.of_overlaps(uid, track)),
    ]
    tracks = [t for u in recording.users for t in u.tracks if t.medium in options.tracks.media]
    ledger = [
        *notes,
        *losses.of_unplaced(tracks),
        *(entry for entry in told if entry.track in options.tracks.media),
    ]
    return Plan(recording, outputs, tuple(sorted(ledger, key=_by_time)), asked)


def _of_slices(
    recording: Recording,
    times: Sequence[UserTime],
    seen: Sequence[Shown],
    left: Left,
) -> Iterator[Entry]:
    """What is wrong with slices that go in."""
    placed = {(time.uid, time.source): time for time in times}
    wholes = {each.time.uid: each for each in seen}
    for user in recording.users:
        for entry in losses.of_source(user, placed.get((user.uid, user.source))):
            if (user.uid, user.source, Medium(entry.track)) not in left:
                whole = wholes.get(user.uid)
                yield whole.unless_behind(entry, user.source) if whole else entry


def _by_time(entry: Entry) -> tuple[int, str, str, str]:
    return (entry.start_ms or 0, entry.uid, entry.track, entry.what)


def _only(time: UserTime, tracks: Tracks) -> UserTime | None:
    """The user with just the tracks asked for; None if nothing is left."""
    video = time.video if Medium.VIDEO in tracks.media else None
    audio = time.audio if Medium.AUDIO in tracks.media else None
    return replace(time, video=video, audio=audio) if video or audio else None


def _stays(time: UserTime, options: Options, cut: Cut) -> list[list[tuple[int, int]]]:
    """The user's presence in UTC ticks, cut as asked: a list for each output, of its sessions."""
    low, high = max(cut.start, time.start), min(cut.end, time.end)
    stays = [(max(a, low), min(b, high)) for a, b in time.sessions if max(a, low) < min(b, high)]
    groups = [[stay] for stay in stays] if options.by is By.SESSION else [stays]
    return [group for group in groups if group]


def _split(groups: Sequence[list[tuple[int, int]]], joints: Sequence[int]) -> list[list[tuple[int, int]]]:
    """The sessions of each output, cut into more outputs at the joints."""
    out: list[list[tuple[int, int]]] = []
    for group in groups:
        rest = group
        for joint in joints:
            left = [(a, min(b, joint)) for a, b in rest if a < joint]
            right = [(max(a, joint), b) for a, b in rest if b > joint]
            if left and right:
                out.append(left)
                rest = right
        out.append(rest)
    return out


def _output(
    time: UserTime,
    options: Options,
    stays: Sequence[tuple[int, int]],
    *,
    zero: int | None,
    recording: str,
    screen: tuple[Decision, ...],
) -> OutputPlan:
    zero = stays[0][0] if zero is None else min(zero, stays[0][0])
    pieces = _pieces(stays, zero, options.gaps)
    start, end = stays[0][0], stays[-1][1]
    video, audio = within(time.video, start, end), within(time.audio, start, end)
    tracks = [t for t in (video, audio) if t is not None]
    slices = [p.piece for t in tracks for run in t.runs for p in run.placed]
    shapes = [s for each in (stretches(video) if video else ()) if (s := each.within(start, end)) is not None]
    heard = [h for each in (configurations(audio) if audio else ()) if (h := each.within(start, end))]
    target = longest(heard) if heard else None
    shape = dominant(shapes, options.container) if shapes else None
    anew = odd(shapes, fitted=options.on_change is OnChange.FIT, container=options.container)
    kind = "" if video is None else "_av" if audio else "_video"
    values = {
        "uid": time.uid or MIXED,
        "screen": "_screen" if time.source == SCREEN and options.screen is Screen.OWN else "",
        "utc": stamp17(ticks.to_ms(zero)),
        "kind": kind,
        "recording": recording,
    }
    return OutputPlan(
        file=fill(options.name, values),
        uid=time.uid,
        source=time.source,
        zero=zero,
        pieces=pieces,
        video=video,
        audio=audio,
        shape=shape,
        sound=target,
        max_audio_edits=options.max_audio_edits,
        odd=anew,
        black=options.gaps is Gaps.BLACK and video is not None,
        shared_clock=time.shared,
        decisions=(
            *(screen if video else ()),
            *decisions(replace(time, video=video, audio=audio), shapes, heard, pieces, options),
        ),
        estimate=estimate_of(
            slices, tracks, _encoded(video, shape, anew), _refitted(audio, heard, options.max_audio_edits)
        ),
        container=options.container,
        refusal=refusal(shapes, heard, video, audio, options),
    )


def within(track: TrackTime | None, start: int, end: int) -> TrackTime | None:
    """The part of a track whose runs reach into ``start .. end`` (UTC ticks); None where none does."""
    if track is None:
        return None
    # By its media, not by what an overlap leaves of it: what is cut is read and counted too.
    runs = tuple(run for run in track.runs if run.start < end and run.placed[-1].end > start)
    gaps = tuple(gap for gap in track.gaps if gap.start < end and gap.end > start)
    inside = tuple(run for run in track.inside if run.start < end and run.end > start)
    return TrackTime(track.medium, runs, gaps, track.clocks, inside) if runs else None


def _pieces(stays: Sequence[tuple[int, int]], zero: int, gaps: Gaps) -> tuple[Piece, ...]:
    if gaps is not Gaps.DROP:
        return (Piece(zero, stays[-1][1], 0),)
    pieces: list[Piece] = []
    at = 0
    for number, (start, end) in enumerate(stays):
        begin = zero if number == 0 and start - zero <= ABSENT else start
        pieces.append(Piece(begin, end, at))
        at = pieces[-1].file_end
    return tuple(pieces)


def _encoded(video: TrackTime | None, shape: Shape | None, anew: Sequence[Stretch]) -> int:
    """Pixels that are encoded to fit."""
    if video is None or shape is None:
        return 0
    step = video.runs[0].step
    return sum(s.shown for s in anew) // max(1, step) * shape.width * shape.height


def _refitted(audio: TrackTime | None, heard: Sequence[Heard], most: int) -> int:
    """Ticks of sound that is encoded, what is of both kinds twice."""
    if audio is None or not heard:
        return 0
    target = longest(heard)
    drifting = (run.end - run.start for run in audio.runs if edits_an_hour(run, target) > most)
    return sum(each.heard for each in heard if each.form != target) + sum(drifting)
