"""The slices of every track of a recording, put together from its playlists and its listing."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.model.ledger import Entry, Sort
from pipeline.model.slices import Medium, Recording, Slice, State, Track, User
from pipeline.vendors import VENDORS
from pipeline.vendors.agora_onpremise.names import DONE
from pipeline.vendors.base import BadNameError, Content, Ignored, Kind, Name, Playlist, Segment
from pipeline.vendors.inventory.finished import choose, slices_of
from pipeline.vendors.inventory.meaning import (
    LISTED_BY_EVENTS,
    Who,
    is_finished,
    is_slice,
    media_of,
    recorder_of,
    turned,
    who_of,
)
from pipeline.vendors.inventory.stamps import COUNT, hours_off, stamps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.vendors.inventory.listing import Group, Named

UNFINISHED = "it has no ENDLIST: the recording was not finished when it was uploaded"
NO_MARK = f"there is no {DONE} beside it: the recording had not ended, or its recorder crashed"
MARKS_RETURNS = frozenset({"agora"})
"""Vendors that put a START tag before the first slice after every absence (Agora, playlist tags)."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """One recording as its playlists and its listing tell it, before a slice is opened.

    Attributes:
        recording: who has which slices.
        notes: what was odd.
        inputs_sha256: over the keys and sizes of its objects but pictures, and the texts of its playlists.
        like: the name of one of its objects, of a user where there is one: how its recorder writes names.
        missing: what may still come, a sentence each; all of it is in the ledger if it does not.
        keys: of its objects, in order.
    """

    recording: Recording
    notes: tuple[Entry, ...]
    inputs_sha256: str
    like: Name
    missing: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def take_stock(group: Group, playlists: Mapping[str, Playlist], digests: Mapping[str, str]) -> Inventory:
    """The recording behind a group.

    Args:
        group: its objects.
        playlists: the parsed playlists of ``group.indexes`` by key.
        digests: a hash of each playlist's text by key.
    """
    stock = _Stock(group, playlists)
    for track in stock.by_track():
        stock.take(*track)
    stock.take_finished()
    items = sorted((*(n.item for n in group.items), *group.unnamed))
    beside = {n.item.key for n in group.items if n.name.kind is Kind.SNAPSHOT}
    inputs = (item for item in items if item.key not in beside)
    listing = "".join(f"{item.key}\0{item.size}\0{digests.get(item.key, '')}\n" for item in inputs)
    recording = Recording(group.vendor, group.prefix, group.recording, stock.users())
    return Inventory(
        recording,
        tuple(stock.notes),
        hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest(),
        next((n.name for n in group.items if n.name.uid is not None), group.items[0].name),
        tuple(dict.fromkeys((*stock.missing, *stock.missing_slices()))),
        tuple(item.key for item in items),
    )


_TrackKey = tuple[str, str, Medium]
_INDEXES = {Kind.INDEX, Kind.EVENTS}


@dataclass(slots=True)
class _Stock:
    """The work of one `take_stock`: objects by key, notes and tracks as they are found."""

    group: Group
    playlists: Mapping[str, Playlist]
    notes: list[Entry] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    tracks: dict[_TrackKey, Track] = field(default_factory=dict)
    _by_key: dict[str, Named] = field(init=False)
    _sizes: dict[str, int] = field(init=False)
    _sounding: set[str | None] = field(init=False)
    _ids: dict[str, str] = field(default_factory=dict)
    _finished: dict[Who, tuple[Named, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_key = {n.item.key: n for n in self.group.items}
        items = (*(n.item for n in self.group.items), *self.group.unnamed)
        self._sizes = {item.key: item.size for item in items}
        self._sounding = {n.name.uid for n in self.group.items if n.name.content is Content.AUDIO}
        for index in self.group.indexes:
            tagged = self.playlists[index.item.key].user_id
            if tagged is not None and index.name.uid is not None:
                self._ids[index.name.uid] = tagged
        files = [n for n in self.group.items if is_finished(n) and self._counts(n)]
        self._finished, notes = choose(files, self._with_slices())
        self.notes += notes
        parts = (note for note in notes if note.sort is Sort.LOSS)
        self.missing += [f"{note.what.partition(';')[0]} ({note.key})" for note in parts]

    def _counts(self, named: Named) -> bool:
        """Whether an object is of a user, or of the composite where there are no users."""
        return self.group.mixed or named.name.uid is not None

    def _content(self, name: Name) -> Content:
        """What an object holds: an MP4 of the on-premise SDK pictures alone where AAC lies beside it."""
        beside = name.vendor in LISTED_BY_EVENTS and name.kind is Kind.FINISHED and name.uid in self._sounding
        return Content.VIDEO if beside and name.content is Content.BOTH else name.content

    def _with_slices(self) -> set[Who]:
        """Users of whom at least one slice is there."""
        found = {who_of(n) for n in self.group.items if is_slice(n) and n.item.size}
        for index in self.group.indexes:
            keys = (self._find(index, segment)[0] for segment in self.playlists[index.item.key].segments)
            if any(self._sizes.get(key) for key in keys):
                found.add(who_of(index))
        return found

    def by_track(self) -> list[tuple[_TrackKey, list[Named]]]:
        """Every track that a slice or an index speaks of, with the indexes to read for it."""
        indexes: dict[_TrackKey, list[Named]] = defaultdict(list)
        combined: dict[_TrackKey, list[Named]] = defaultdict(list)
        for n in self.group.items:
            if not self._counts(n) or not (n.name.kind in _INDEXES or is_slice(n)):
                self._leave(n)
                continue
            if who_of(n) in self._finished:
                what = "ignored: no slice is there; the finished file is used"
                self.notes.append(Entry(Sort.NOTE, what, n.name.uid or "", key=n.item.key))
                continue
            content = self._content(n.name)
            for medium in media_of(content):
                key = (*who_of(n), medium)
                both = content is Content.BOTH
                (combined if both else indexes)[key] += [n] if n.name.kind in _INDEXES else []
        odd = {(n.name.uid or "", note) for n in self.group.items for note in n.name.notes}
        self.notes += [Entry(Sort.NOTE, note, self._ids.get(uid, uid)) for uid, note in sorted(odd)]
        keys = sorted({*indexes, *combined})
        return [(key, self._chosen(indexes.get(key) or combined[key])) for key in keys]

    def _leave(self, named: Named) -> None:
        if named.name.kind is Kind.SNAPSHOT:
            what = "a snapshot; nothing to merge"
        elif not self._counts(named):
            what = "part of a composite recording; the single users are there and are the better source"
        else:
            return  # a finished file that was chosen, or left alone with its reason
        self.notes.append(Entry(Sort.NOTE, f"ignored: {what}", key=named.item.key))

    def _chosen(self, indexes: Sequence[Named]) -> list[Named]:
        """Of the copies of one index (plain, re-uploaded) the larger of plain and newest (Agora, 1.3)."""
        copies: dict[str, list[Named]] = defaultdict(list)
        for n in indexes:
            agora = f"{n.name.failover}.{n.name.extension}"  # M3U8 and MPD list different slices
            copies[agora if self.group.vendor == "agora" else n.item.key].append(n)
        out = []
        for same in copies.values():
            newest = max(same, key=lambda n: -1 if n.name.version is None else n.name.version)
            plain = next((n for n in same if n.name.version is None), newest)
            best = newest if newest.item.size > plain.item.size else plain
            out.append(best)
            self.notes += [
                Entry(Sort.NOTE, f"another copy of {best.item.key}; not used", key=n.item.key)
                for n in same
                if n is not best
            ]
        return out

    def take(self, key: _TrackKey, indexes: Sequence[Named]) -> None:
        """Put together the slices of one track."""
        uid, source, medium = key
        slices: list[Slice] = []
        for index in indexes:
            slices += self._listed(index, medium)
        listed = {s.key for s in slices}
        loose = [n for n in self._slices_of(key) if n.item.key not in listed]
        if not indexes and loose and self.group.vendor not in LISTED_BY_EVENTS:
            what = f"no playlist for the {medium} of user {uid}: its slices are placed by their names"
            self.notes.append(Entry(Sort.NOTE, what, uid, medium))
            whose = f"user {uid}" if uid else "the composite"
            self.missing.append(f"there is no playlist for the {medium} of {whose}")
        slices += self._loose(loose, slices, playlist=bool(indexes))
        unique = self._without_twins(uid, medium, slices)
        self.tracks[key] = Track(
            uid,
            source,
            medium,
            tuple(sorted(unique, key=lambda s: (s.stamp_ms, s.key))),
            ended=bool(indexes) and all(self.playlists[n.item.key].ended for n in indexes),
            marks_returns=bool(indexes) and self.group.vendor in MARKS_RETURNS,
        )

    def _slices_of(self, key: _TrackKey) -> list[Named]:
        uid, source, medium = key
        return [
            n
            for n in self.group.items
            if is_slice(n)
            and self._counts(n)
            and who_of(n) == (uid, source)
            and medium in media_of(self._content(n.name))
        ]

    def missing_slices(self) -> Iterator[str]:
        """What of the slices that are used is not there, or has nothing in it."""
        for key, state in {s.key: s.state for track in self.tracks.values() for s in track.slices}.items():
            if state is State.MISSING:
                yield f"slice {key} is not there"
            elif state is State.EMPTY:
                yield f"slice {key} has 0 bytes"

    def take_finished(self) -> None:
        """Put together the tracks of users of whom finished files are used."""
        for (uid, source), files in self._finished.items():
            media = sorted({medium for n in files for medium in media_of(n.name.content)})
            slices = slices_of(files, self._begins((uid, source)))
            unique = tuple(self._without_twins(uid, media[0], slices, Sort.LOSS))
            for medium in media:
                self.tracks[uid, source, medium] = Track(uid, source, medium, unique)

    def _begins(self, who: Who) -> dict[int | None, int]:
        """UTC ms of a user's first media by his playlists, whose slices are not there, by their recorder."""
        out: dict[int | None, int] = {}
        for index in self.group.indexes:
            if who_of(index) != who:
                continue
            playlist = self.playlists[index.item.key]
            names = [self._find(index, segment)[1] for segment in playlist.segments]
            stamps = [at for at, _ in stamps_of(playlist, names, index.name) if at is not None]
            known = [*stamps[:1], *([playlist.start_ms] if playlist.start_ms is not None else [])]
            if known:
                recorder = index.name.failover
                out[recorder] = min(*known, out.get(recorder, known[0]))
        return out

    def _listed(self, index: Named, medium: Medium) -> list[Slice]:
        playlist = self.playlists[index.item.key]
        unfinished = self._unfinished(index)
        self.notes += [
            Entry(Sort.NOTE, note, index.name.uid or "", medium, key=index.item.key)
            for note in (*playlist.notes, *unfinished)
        ]
        self.missing += [f"{index.item.key}: {why.partition(':')[0]}" for why in unfinished]
        out: list[Slice] = []
        clockwise = 0
        found = [self._find(index, segment) for segment in playlist.segments]
        stamps = stamps_of(playlist, [name for _, name in found], index.name)
        before_it = ""
        for segment, (key, name), stamp in zip(playlist.segments, found, stamps, strict=True):
            behind, before_it = before_it, key
            content = segment.content or self._content(name if name is not None else index.name)
            before, clockwise = clockwise, segment.turns[-1].clockwise if segment.turns else clockwise
            if medium not in media_of(content):
                continue
            stamp_ms, stamp_from = stamp
            if stamp_ms is None:
                self.notes.append(Entry(Sort.NOTE, "ignored: no stamp in its name or tags", key=key))
                continue
            if zone_ms := hours_off(segment, name):
                what = f"its tag is {zone_ms / 3_600_000:+g} h off the UTC of its name; read as a local time"
                self.notes.append(Entry(Sort.NOTE, what, start_ms=stamp_ms, key=key))
            begins, inside = turned(segment.turns, stamp_ms + zone_ms, before)
            out.append(
                replace(
                    self._slice(key, segment),
                    stamp_ms=stamp_ms,
                    stamp_from=stamp_from,
                    clockwise=begins if medium is Medium.VIDEO else 0,
                    turns=inside if medium is Medium.VIDEO else (),
                    shared=content is Content.BOTH,
                    recorder=recorder_of(name or index.name),
                    follows=behind if stamp_from == COUNT else "",
                )
            )
        return out

    def _unfinished(self, index: Named) -> tuple[str, ...]:
        """What an index tells of a recording that had not ended."""
        if index.name.kind is Kind.EVENTS:
            return () if self.group.ended else (NO_MARK,)
        return () if self.playlists[index.item.key].ended else (UNFINISHED,)

    def _find(self, index: Named, segment: Segment) -> tuple[str, Name | None]:
        """Key and name of a playlist line, as written or percent-decoded, whichever is there."""
        written, decoded = self.group.keys_of(segment.uri)
        for key in (written, decoded):
            if key in self._sizes:
                named = self._by_key.get(key)
                return key, None if named is None else named.name
        try:
            name = VENDORS[index.name.vendor].parse(written)
        except BadNameError:
            return written, None
        return written, None if isinstance(name, Ignored) else name

    def _slice(self, key: str, segment: Segment) -> Slice:
        size = self._sizes.get(key, 0)
        state = State.MISSING if key not in self._sizes else State.PRESENT if size else State.EMPTY
        if size and segment.size and size < segment.size:
            what = (
                f"has {size} bytes, its playlist says {segment.size}: the rest was not uploaded or downloaded"
            )
            self.notes.append(Entry(Sort.LOSS, f"slice {key} {what}", key=key))
            self.missing.append(f"slice {key} has {size} of {segment.size} bytes")
        opens = segment.starts or segment.discontinuity
        # An event file tells when a file was closed, which may be long after its last sound or picture.
        told = None if size and self.group.vendor in LISTED_BY_EVENTS else segment.duration_us
        return Slice(key, size, state, 0, "", told, opens=opens, returns=segment.starts)

    def _loose(self, loose: Sequence[Named], slices: Sequence[Slice], *, playlist: bool) -> list[Slice]:
        """Slices that no playlist lists, where they lie inside the recording."""
        stamps = [s.stamp_ms for s in slices] or [n.name.stamp_ms or 0 for n in loose]
        low, high = self._span() if playlist else (min(stamps, default=0), max(stamps, default=0))
        out = []
        for n in loose:
            stamp_ms = n.name.stamp_ms
            if stamp_ms is None or not low <= stamp_ms <= high:
                what = "ignored: no playlist lists it and its stamp lies outside the recording"
                self.notes.append(Entry(Sort.NOTE, what, key=n.item.key))
                continue
            state = State.PRESENT if n.item.size else State.EMPTY
            shared = self._content(n.name) is Content.BOTH
            loose_one = Slice(n.item.key, n.item.size, state, stamp_ms, "name", listed=False, shared=shared)
            out.append(replace(loose_one, recorder=recorder_of(n.name)))
            if playlist:
                what = "no playlist lists it; used, its stamp lies inside the recording"
                self.notes.append(Entry(Sort.NOTE, what, start_ms=stamp_ms, key=n.item.key))
        return out

    def _span(self) -> tuple[int, int]:
        """UTC ms from the first to the last stamp that playlists know, the last slice's length included."""
        ends: list[tuple[int, int]] = []
        for index in self.group.indexes:
            playlist = self.playlists[index.item.key]
            for segment in playlist.segments:
                _, name = self._find(index, segment)
                stamp = segment.start_ms if segment.start_ms is not None else name.stamp_ms if name else None
                if stamp is not None:
                    ends.append((stamp, stamp + (segment.duration_us or 0) // 1000))
        return min((a for a, _ in ends), default=0), max((b for _, b in ends), default=0)

    def _without_twins(
        self, uid: str, medium: Medium, slices: Sequence[Slice], sort: Sort = Sort.NOTE
    ) -> list[Slice]:
        """Of slices with one stamp the larger; the others are noted."""
        best: dict[int, Slice] = {}
        for s in slices:
            twin = best.get(s.stamp_ms)
            if twin is None:
                best[s.stamp_ms] = s
                continue
            kept, left = (s, twin) if s.size > twin.size else (twin, s)
            tags = twin if twin.listed else s
            best[s.stamp_ms] = replace(kept, opens=tags.opens, returns=tags.returns, listed=tags.listed)
            if left.key != kept.key:
                what = f"twin of {kept.key}, which is larger; not used"
                self.notes.append(Entry(sort, what, uid, medium, s.stamp_ms, key=left.key))
        return list(best.values())

    def users(self) -> tuple[User, ...]:
        """The tracks by user and source, under the plain ids that tags tell."""
        people = sorted({(uid, source) for uid, source, _ in self.tracks})
        return tuple(
            User(
                self._ids.get(uid, uid),
                source,
                self._renamed((uid, source, Medium.AUDIO)),
                self._renamed((uid, source, Medium.VIDEO)),
            )
            for uid, source in people
        )

    def _renamed(self, key: _TrackKey) -> Track | None:
        track = self.tracks.get(key)
        return replace(track, uid=self._ids.get(key[0], key[0])) if track and track.slices else None
