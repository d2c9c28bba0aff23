"""Arrange: look at both ends of every slice, put the users on UTC, decide the plan. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from pipeline.errors import CommandError, InputError, MissingSliceError
from pipeline.media.deep import with_changes
from pipeline.media.keys import key_times
from pipeline.media.look import Looker
from pipeline.media.probe import picture_size
from pipeline.media.unreadable import NOTHING_OF_IT, Unreadable
from pipeline.model import ticks
from pipeline.model.assumed import with_assumed, worth_a_look
from pipeline.model.counted import with_counted
from pipeline.model.job_key import job_key
from pipeline.model.ledger import Entry, Sort
from pipeline.model.losses import FILLED
from pipeline.model.naming import names
from pipeline.model.options import Missing, OnChange, Options, Screen
from pipeline.model.plan import Cut, Plan, plan
from pipeline.model.screens import CAMERA, SCREEN, left_out, shown
from pipeline.model.shapes import stretches
from pipeline.model.slices import (
    Ends,
    Recording,
    Slice,
    State,
    Track,
    User,
    with_known_forms,
    with_own_lengths,
)
from pipeline.model.snapshots import SnapshotOptions
from pipeline.model.sound import configurations
from pipeline.model.timeline import TrackTime, UserTime, arrange
from pipeline.vendors.styles import style_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.layout.stage import Turn
    from pipeline.model.naming import Naming
    from pipeline.model.screens import Left
    from pipeline.sources.protocol import Source
    from pipeline.vendors.inventory import Inventory


Opener: TypeAlias = Callable[[str], BinaryIO]
"""Opens a key of the source."""
Deep: TypeAlias = Collection[tuple[str, str]] | None
"""The (uid, source) of users whose slices are read whole for changes inside them; None for all users."""


def look(
    source: Source, inventory: Inventory, deep: Deep = (), *, few: bool = False, again: bool = True
) -> Recording:
    """The recording with the ends of its slices read, and of some users all that is in them.

    Args:
        source: where they lie.
        inventory: of the recording.
        deep: whose slices are read whole.
        few: look only at those that begin something; the others are taken to follow them.
        again: they will be read whole afterwards.
    """
    looker = Looker(picture_size)

    def seen(track: Track | None) -> Track | None:
        if track is None:
            return None
        if few:
            return _seen_in_part(source, looker, track)
        whole = deep is None or (track.uid, track.source) in deep
        keys = [s.key for s in track.slices if s.state is State.PRESENT]
        opened, read = source.ends(keys, again=again), source.whole(keys) if whole else None
        slices = tuple(_ends(opened, read, looker, track, s) for s in track.slices)
        return _with_own(track, slices)

    seen_users = (replace(u, audio=seen(u.audio), video=seen(u.video)) for u in inventory.recording.users)
    return replace(
        inventory.recording, users=tuple(with_counted(with_own_lengths(user)) for user in seen_users)
    )


def _with_own(track: Track, slices: Sequence[Slice]) -> Track | None:
    """The track with those of its slices that have anything of it; None where none has."""
    there = tuple(s for s in slices if not (s.shared and s.why == NOTHING_OF_IT))
    return replace(track, slices=with_known_forms(there)) if there else None


def _seen_in_part(source: Source, looker: Looker, track: Track) -> Track | None:
    slices = track.slices
    while keys := worth_a_look(slices):
        opened, chosen = source.ends(keys, again=False), set(keys)
        slices = tuple(_ends(opened, None, looker, track, s) if s.key in chosen else s for s in slices)
    return _with_own(track, with_assumed(slices))


def _ends(opened: Opener, read: Opener | None, looker: Looker, track: Track, piece: Slice) -> Slice:
    if piece.state is not State.PRESENT:
        return piece
    try:
        with opened(piece.key) as file:
            ends = looker.look(file, piece.size, track.medium, ticks.from_us(piece.extinf_us or 0))
        if read is not None and isinstance(ends, Ends):
            ends = with_changes(read, piece, ends, track.medium, looker)
    except OSError as error:
        raise InputError(
            f"{piece.key} cannot be read ({error.strerror}): make it readable and run again."
        ) from error
    if isinstance(ends, Unreadable):
        return replace(piece, state=State.UNREADABLE, why=ends.why)
    return replace(piece, ends=ends, clockwise=ends.clockwise or piece.clockwise)


def arrange_plan(
    source: Source, inventory: Inventory, options: Options, deep: Deep = (), *, few: bool = False
) -> Plan:
    """The plan of one recording; of some users by all that is in their slices, or by few slices of all.

    Raises:
        CommandError: a user was asked for who is not in it, the cut lies outside of it, or its files cannot
            have the names that were asked for.
        InputError: no slice of it can be used.
        MissingSliceError: a listed slice is missing or empty, and the options do not fill.
    """
    if isinstance(options, SnapshotOptions):
        return replace(arrange_plan(source, inventory, options.looking, deep, few=few), options=options)
    naming = _naming(inventory, options)
    if deep and options.screen is not Screen.OWN:  # a file may hold both sources of a user
        deep = {(uid, source) for uid, _ in deep for source in (CAMERA, SCREEN)}
    found = look(source, inventory, deep, few=few)
    users = _asked_for(found, options)
    recording = replace(found, users=tuple(users))
    left = left_out(users, options.screen)
    if options.missing is Missing.FAIL:
        _fail_on_missing(users, left)
    times = [t for user in users if (t := arrange(user)) is not None]
    if not times:
        raise InputError(_nothing_usable(recording, users))
    if options.composes:
        notes = _notes(inventory, options)
        return _composed(source, recording, times, options, notes=notes, naming=naming)
    whole = [each.time for each in shown(times, options.screen, left)]
    return plan(
        recording,
        times,
        options,
        cuts=_cuts(source, whole, options, times),
        joints=_joints(source, whole) if options.on_change is OnChange.SPLIT else {},
        notes=_notes(inventory, options),
        naming=naming,
    )


def _composed(
    source: Source,
    recording: Recording,
    times: Sequence[UserTime],
    options: Options,
    *,
    notes: Sequence[Entry],
    naming: Naming | None,
) -> Plan:
    """The plan of a composite: what is wrong with slices is told as for a merge of everything.

    Who cannot be decoded is left out, and the ledger says so.
    """
    from pipeline.layout.composed import composed  # no merge needs it
    from pipeline.layout.composite import ComposeOptions
    from pipeline.media.compose.encoder import check_encoder
    from pipeline.steps.props import files_wanted, fonts_wanted, unwritten

    if not isinstance(options, ComposeOptions):
        raise TypeError("these are no options of a composite")
    told = plan(recording, times, Options(screen=options.screen), notes=notes)
    refused = {(output.uid, output.source): output.refusal for output in told.outputs if output.refusal}
    usable = [time for time in times if (time.uid, time.source) not in refused]
    if not usable:
        raise InputError(f"{recording.title} cannot be composed: {next(iter(refused.values()))}.")
    said = [
        Entry(Sort.LOSS, f"not in the composite: {why}", uid=uid) for (uid, _), why in sorted(refused.items())
    ]
    turns = _turns(source, usable) if options.follows_speech and options.shots is None else ()
    own = replace(options, files=files_wanted(options), fonts=fonts_wanted(options))
    drafts = composed(recording.name, usable, own, turns)
    named = zip(drafts, names(drafts, naming), strict=True)
    outputs = tuple(replace(draft, file=name) for draft, name in named)
    for output in outputs[:1]:
        if output.encoding is not None:
            check_encoder(output.encoding, output.canvas)
    said += [Entry(Sort.NOTE, what) for what in unwritten(outputs)]
    return Plan(recording, outputs, (*map(_unfilled, told.ledger), *said), options)


def _unfilled(entry: Entry) -> Entry:
    """A hole as a composite has it: what fills it in a merge is not there."""
    return replace(entry, what=entry.what.partition(FILLED)[0])


def _turns(source: Source, times: Sequence[UserTime]) -> tuple[Turn, ...]:
    """Who speaks when: all sound is decoded once."""
    from pipeline.layout.speaking import Sharing
    from pipeline.layout.speaking import shown as spoken
    from pipeline.layout.stage import turns_of
    from pipeline.media.mix.levels import levels_of

    start = min(time.start for time in times)
    keys = [[p.piece.key for run in t.audio.runs for p in run.placed] for t in times if t.audio]
    levels = levels_of(times, start, source.whole(*keys))
    screens = [
        Sharing(ticks.to_ms(run.start - start), ticks.to_ms(run.listed_end - start), time.uid)
        for time in times
        if time.source == SCREEN and time.video is not None
        for run in time.video.runs
    ]
    return turns_of(spoken(levels, screens), start)


def _naming(inventory: Inventory, options: Options) -> Naming | None:
    """The vendor's naming that was asked for; None for a pattern of our own."""
    style = style_of(options.name)
    if style is None:
        return None
    recording = inventory.recording
    key = job_key(recording.vendor, recording.prefix, recording.name, options.as_text())
    return style.naming(inventory.like, key)


def with_reading(planned: Plan, source: Source) -> Plan:
    """A plan that says how much was read to make it, where reading takes requests."""
    tracks = [track for user in planned.recording.users for track in user.tracks]
    whole = sum(s.size for track in tracks for s in track.slices)
    what = f"planned after reading {source.read / 1000:.0f} kB; the slices have {whole / 1000:.0f} kB"
    note = Entry(Sort.NOTE, what)
    return replace(planned, ledger=(*planned.ledger, note)) if source.far else planned


def _asked_for(recording: Recording, options: Options) -> list[User]:
    known = {user.uid for user in recording.users}
    unknown = [uid for uid in options.uids if uid not in known]
    if unknown:
        raise CommandError(
            f"{recording.title} has no user {unknown[0]!r}: it has {', '.join(map(repr, sorted(known)))}."
        )
    return [user for user in recording.users if not options.uids or user.uid in options.uids]


def _fail_on_missing(users: Sequence[User], left: Left) -> None:
    for user in users:
        for track in user.tracks:
            for piece in track.slices if (user.uid, user.source, track.medium) not in left else ():
                if piece.state is not State.PRESENT:
                    raise MissingSliceError(
                        f"slice {piece.key} of user {user.uid} is {piece.state}: download it again, "
                        "or use --missing fill to go on without it."
                    )


def _nothing_usable(recording: Recording, users: Sequence[User]) -> str:
    bad = next(s for user in users for track in user.tracks for s in track.slices)
    why = bad.why or {State.MISSING: "it is not there", State.EMPTY: "it has 0 bytes"}.get(bad.state, "")
    return (
        f"{recording.title} has no slice that can be used: {bad.key} cannot be read ({why}). "
        "Download the recording again."
    )


def _notes(inventory: Inventory, options: Options) -> list[Entry]:
    """The inventory's notes that concern the users asked for."""
    return [n for n in inventory.notes if not options.uids or not n.uid or n.uid in options.uids]


def _cuts(
    source: Source, times: Sequence[UserTime], options: Options, found: Sequence[UserTime]
) -> dict[tuple[str, str], Cut]:
    """Where each user is cut, snapped outwards to his key frames; offsets count from all that was found."""
    if options.start is None and options.end is None:
        return {}
    first = min(time.start for time in found)
    last = max(time.end for time in found)
    start = options.start.utc(first) if options.start else first
    end = options.end.utc(first) if options.end else last
    if start >= last or end <= first or start >= end:
        raise CommandError(
            "--start and --end leave nothing of the recording: give a time between its first and last media."
        )
    return {(t.uid, t.source): _snapped(t, start, end, lambda s: key_times(source.open, s)) for t in times}


def _joints(source: Source, times: Sequence[UserTime]) -> dict[tuple[str, str], list[int]]:
    """Where each user's file is split: at the first key frame where a shape or configuration begins."""
    return {(t.uid, t.source): sorted(set(_joints_of(source, t))) for t in times}


def _joints_of(source: Source, time: UserTime) -> Iterator[int]:
    changes = [stretch.start for stretch in (stretches(time.video) if time.video else ())[1:]]
    changes += [heard.start for heard in (configurations(time.audio) if time.audio else ())[1:]]
    for change in changes:
        if time.video is None:
            yield change
        else:
            yield _key_after(time.video, change, lambda s: key_times(source.open, s))


def _key_after(track: TrackTime, start: int, keys_of: Callable[[Slice], Sequence[int]]) -> int:
    """UTC ticks of the first key frame at or after ``start``; where none comes, ``start`` itself."""
    later = ((run, placed) for run in track.runs for placed in run.placed if placed.end > start)
    keys = (
        at
        for run, placed in later
        for pts in keys_of(placed.piece)
        if max(start, run.start) <= (at := placed.utc(pts)) < run.end
    )
    return next(keys, start)


def _snapped(time: UserTime, start: int, end: int, keys_of: Callable[[Slice], Sequence[int]]) -> Cut:
    """The cut moved outwards: to the last key frame at or before its start, the first at or after its end."""
    if time.video is None:
        return Cut(start, end)
    before, after = start, end
    for run in time.video.runs:
        for placed in run.placed:
            low, high = max(placed.at, run.start), min(placed.end, run.end)
            if low <= start < high:
                keys = [placed.utc(pts) for pts in keys_of(placed.piece)]
                before = max((at for at in keys if low <= at <= start), default=low)
            if low < end < high:
                keys = [placed.utc(pts) for pts in keys_of(placed.piece)]
                after = min((at for at in keys if end <= at < high), default=high)
    return Cut(before, after)


def losses(entries: Sequence[Entry]) -> int:
    """How many entries are losses."""
    return sum(entry.sort is Sort.LOSS for entry in entries)
