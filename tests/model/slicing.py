"""Slices in a compact notation, and a timeline as text.

A slice is a line: ``STAMP PTS SPAN [TAG...]``, times in seconds with decimals, or with a suffix: ``t`` ticks,
``f`` sound frames of 1024/48000 s, ``p`` pictures of 1/15 s; terms may be added (``10+2f``). The stamp counts
from `T0`. Tags: ``START``, ``BREAK`` (DISCONTINUITY), ``unlisted``, ``missing``, ``empty``, ``unreadable``,
``cut``, ``extinf=TIME``, ``fps=N``, ``size=WxH``, ``rate=HZ``, ``pid=N``, ``turn=N``, ``after=TIME``; inside
of it ``turns=TIME:N`` and ``becomes=TIME:WxH``, several with commas.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.model import ticks
from pipeline.model.slices import Change, Ends, Format, Medium, Slice, State, Track, Turned, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.model.timeline import Run, TrackTime, UserTime

T0_MS = 1_768_908_600_000
"""2026-01-20T11:30:00.000Z."""
T0 = ticks.from_ms(T0_MS)
FRAME = 1920
PICTURE = 6000
FRAME_RATE = 15
_UNITS = {"t": 1, "f": FRAME, "p": PICTURE}
_STATES = {"missing": State.MISSING, "empty": State.EMPTY, "unreadable": State.UNREADABLE}


def time(text: str) -> int:
    """Ticks of a sum such as ``10+2f-1t``."""
    total = Fraction(0)
    for term in text.replace("-", "+-").split("+"):
        if term:
            unit = _UNITS.get(term[-1])
            total += Fraction(term) * ticks.TICKS if unit is None else Fraction(term[:-1]) * unit
    if total.denominator != 1:
        raise AssertionError(text)  # a test must not depend on rounding
    return int(total)


def piece(line: str, medium: Medium, number: int = 0) -> Slice:
    """The slice that a line describes."""
    stamp, first, span, *words = line.split()
    tags = dict(word.split("=") for word in words if "=" in word)
    state = next((_STATES[w] for w in words if w in _STATES), State.PRESENT)
    step = FRAME if medium is Medium.AUDIO else ticks.TICKS // int(tags.get("fps", FRAME_RATE))
    length = time(span)
    ends = Ends(
        first=time(first) % ticks.WRAP,
        span=length,
        step=step,
        key=True,
        form=form(medium, tags.get("size", "640x480"), int(tags.get("rate", 48000))),
        cut=(time(first) + length - step) % ticks.WRAP if "cut" in words else None,
        after=time(tags.get("after", "0")),
        pid=int(tags.get("pid", 256)),
        changes=tuple(Change(time(at), form(medium, size)) for at, size in _inside(tags.get("becomes"))),
    )
    listed = "unlisted" not in words
    stamped_ms, rest = divmod(time(stamp), ticks.PER_MS)
    if rest:
        raise AssertionError(line)  # stamps are whole milliseconds
    return Slice(
        key=f"{medium[0]}{number}.ts",
        size=0 if state in {State.MISSING, State.EMPTY} else 188 * 100,
        state=state,
        stamp_ms=T0_MS + stamped_ms,
        stamp_from="name",
        extinf_us=time(tags.get("extinf", span)) * 1_000_000 // ticks.TICKS if listed else None,
        opens="START" in words or "BREAK" in words,
        returns="START" in words,
        listed=listed,
        clockwise=int(tags.get("turn", 0)),
        turns=tuple(Turned(ticks.to_ms(time(at)), int(turn)) for at, turn in _inside(tags.get("turns"))),
        ends=ends if state is State.PRESENT else None,
        why="it is no MPEG-TS (no sync bytes)" if state is State.UNREADABLE else "",
    )


def _inside(text: str | None) -> list[tuple[str, str]]:
    pairs = [each.split(":") for each in text.split(",")] if text else []
    return [(at, what) for at, what in pairs]


def form(medium: Medium, size: str = "640x480", rate: int = 48000) -> Format:
    """AAC mono, or H.264 whose parameter sets are those of its size."""
    if medium is Medium.AUDIO:
        return Format("aac", rate=rate, channels=1, parameters={48000: "1188", 44100: "1208"}.get(rate, "00"))
    width, height = size.split("x")
    return Format("h264", int(width), int(height), parameters=size)


def sound(*lines: str, agora: bool = False) -> Track:
    """A track of sound."""
    return _track(Medium.AUDIO, lines, agora=agora)


def pictures(*lines: str, agora: bool = False) -> Track:
    """A track of pictures."""
    return _track(Medium.VIDEO, lines, agora=agora)


def _track(medium: Medium, lines: tuple[str, ...], *, agora: bool) -> Track:
    slices = tuple(piece(line, medium, number) for number, line in enumerate(lines))
    return Track("ann", "camera", medium, slices, marks_returns=agora)


def steady(count: int, span: str, start: str = "0", *, pts: str = "0") -> list[str]:
    """Lines of slices that follow one another exactly; the span must be whole milliseconds."""
    length, at, first = time(span), time(start), time(pts)
    return [f"{at + n * length}t {first + n * length}t {length}t" for n in range(count)]


def user(*tracks: Track, uid: str = "ann", source: str = "camera") -> User:
    """A user with these tracks."""
    mine = {t.medium: replace(t, uid=uid, source=source) for t in tracks}
    return User(uid, source, mine.get(Medium.AUDIO), mine.get(Medium.VIDEO))


def with_pts(found: User, pts: Callable[[int, Medium, int], int]) -> User:
    """The user with other first PTS: ``pts(number of the slice, medium, PTS that it had)``, in ticks."""

    def changed(track: Track | None) -> Track | None:
        if track is None:
            return None
        slices = []
        for number, s in enumerate(track.slices):
            if s.ends is None:
                slices.append(s)
                continue
            first = pts(number, track.medium, s.ends.first) % ticks.WRAP
            cut = s.ends.cut
            if cut is not None:
                cut = (cut - s.ends.first + first) % ticks.WRAP
            slices.append(replace(s, ends=replace(s.ends, first=first, cut=cut)))
        return replace(track, slices=tuple(slices))

    return replace(found, audio=changed(found.audio), video=changed(found.video))


def as_text(time: UserTime | None) -> str:
    """A timeline for people; times are milliseconds after `T0`."""
    if time is None:
        return "nothing can be read\n"
    clocks = "sound and picture on one clock" if time.shared else "no shared clock"
    lines = [f"{time.uid} {time.source}: {clocks}"]
    for track in time.tracks:
        lines += _track_text(track)
    lines.append("sessions")
    lines += [f"  {at(start)} .. {at(end)}" for start, end in time.sessions]
    return "\n".join(lines) + "\n"


def at(utc_ticks: int) -> str:
    """Milliseconds after `T0` to three decimals: enough to tell every tick from the next."""
    return f"{(utc_ticks - T0) / ticks.PER_MS:.3f}"


def _track_text(track: TrackTime) -> list[str]:
    lines = [f"{track.medium} {at(track.start)} .. {at(track.end)}, {track.form}"]
    for number, clock in enumerate(track.clocks):
        drift = f", {clock.slope_ppb} ppb" if clock.slope_ppb else ""
        lines.append(f"  clock {number}: {clock.stamps} stamps, within {clock.uncertainty_ms} ms{drift}")
    gaps = {gap.end: gap for gap in track.gaps}
    for run in track.runs:
        gap = gaps.pop(run.start, None)
        if gap is not None:
            kind = "lost" if gap.lost else "absent"
            lines.append(f"  gap {at(gap.start)} .. {at(gap.end)}: {kind}, {gap.why}")
        lines += _run_text(run)
    lines += [
        line.replace("  run by", "  not used: run by") for run in track.inside for line in _run_text(run)
    ]
    if gaps:
        raise AssertionError(gaps)  # a gap that no run ends
    return lines


def _run_text(run: Run) -> list[str]:
    moved = f", moved by {run.moved / ticks.PER_MS:.3f}" if run.moved else ""
    until = f", gives way at {at(run.until)}" if run.until is not None else ""
    since = f", shown since {at(run.since)}" if run.since is not None else ""
    yields = f", hidden from {at(run.yields)}" if run.yields is not None else ""
    notes = f"{moved}{until}{since}{yields}"
    lines = [f"  run by clock {run.clock}, {run.why}: {at(run.start)} .. {at(run.end)}{notes}"]
    return [*lines, *(f"    {p.piece.key} {at(p.at)} .. {at(p.end)}" for p in run.placed)]
