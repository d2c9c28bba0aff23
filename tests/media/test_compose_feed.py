"""The pictures of a stream by UTC: each says itself when it was taken."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.demo.scenario import Change, Fault, FaultKind, Shape, Track
from pipeline.media.compose.feed import Feed
from pipeline.model import ticks
from tests.media.composing import T0_MS, luma, recorded, sender, taken_ms, utc
from tests.media.ts_material import GOP, STEP, Files, joined, picture_pes, time_of, user_of
from tests.media.ts_material import coded_pictures as noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.media.compose.feed import Picture
    from pipeline.model.timeline import TrackTime
    from tests.media.composing import Recorded

KINDS: dict[str, dict[str, Any]] = {
    "h264": {},
    "B-pictures": {"bframes": 2},
    "hevc": {"codec": "hevc"},
    "hevc with B-pictures": {"codec": "hevc", "bframes": 2},
    "vp8": {"web": ((0, 20_000),)},
    "vp9": {"web": ((0, 20_000),), "web_codec": "vp9"},
    "turned": {"rotation": 90},
    "pictures that come late": {"jitter_ms": 20},
}
STRETCHES = ((0, 4000), (5000, 9000))


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recorded]:
    """A recording of one user with a gap of a second; made once."""
    there: dict[str, Recorded] = {}

    def get(kind: str) -> Recorded:
        if kind not in there:
            user = sender(picture=STRETCHES, **KINDS[kind])
            there[kind] = recorded(tmp_path_factory.mktemp("feeds") / "recording", user)
        return there[kind]

    return get


def latest(found: Recorded, after_ms: float) -> int | None:
    """UTC of the last picture up to a moment."""
    return max((at for at in found.pictures_ms if at <= T0_MS + after_ms), default=None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_picture_up_to_a_moment_is_shown(kind: str, kinds: Callable[[str], Recorded]) -> None:
    found = kinds(kind)
    feed = found.feed()
    asked = [at - T0_MS + more for at in found.pictures_ms for more in (-2, 2)]
    shown = [taken_ms(feed.at(utc(after), 0)) for after in sorted(asked)]
    assert shown == [latest(found, after) for after in sorted(asked)]
    assert (feed.count.packets, feed.count.undecoded) == (len(found.pictures_ms), 0)


def test_a_picture_is_shown_from_its_own_tick_on(kinds: Callable[[str], Recorded]) -> None:
    found = kinds("h264")
    feed = found.feed()
    first, second = found.pictures_ms[:2]
    moments = [(first, -1), (first, 0), (second, -1), (second, 0)]
    shown = [taken_ms(feed.at(utc(at - T0_MS) + more, 0)) for at, more in moments]
    assert shown == [None, first, first, second]


def test_asked_again_the_same_picture_is_the_same_object(kinds: Callable[[str], Recorded]) -> None:
    feed = kinds("h264").feed()
    assert feed.at(utc(1000), 0) is feed.at(utc(1001), 0)
    assert feed.at(utc(1100), 0) is not feed.at(utc(1200), 0)


def test_the_last_picture_is_held_through_a_gap_and_to_the_end(kinds: Callable[[str], Recorded]) -> None:
    found = kinds("B-pictures")
    feed = found.feed()
    before = max(at for at in found.pictures_ms if at < T0_MS + 4000)
    assert [taken_ms(feed.at(utc(after), 0)) for after in (3999, 4500, 4999)] == [before] * 3
    assert taken_ms(feed.at(utc(900_000), 0)) == found.pictures_ms[-1]


def test_no_picture_of_before_a_stay_is_shown_in_it(kinds: Callable[[str], Recorded]) -> None:
    found = kinds("h264")
    feed = found.feed()
    since = utc(4500)
    first = min(at for at in found.pictures_ms if at >= T0_MS + 5000)
    shown = [taken_ms(feed.at(utc(after), since)) for after in (3000, 4600, 4990, 5000.5)]
    assert shown == [None, None, None, first]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start_ms", [0, 700, 1999, 2000, 3700, 4500, 5030, 8950])
def test_begun_anywhere_the_pictures_are_those_of_a_feed_from_the_beginning(
    kind: str, start_ms: int, kinds: Callable[[str], Recorded]
) -> None:
    found = kinds(kind)
    whole, part = found.feed(), found.feed(start_ms)
    for after in (start_ms, start_ms + 33, start_ms + 70, start_ms + 500, start_ms + 2500):
        one, other = whole.at(utc(after), 0), part.at(utc(after), 0)
        assert taken_ms(one) == taken_ms(other) == latest(found, after)
        if one is not None and other is not None:
            assert np.array_equal(luma(one), luma(other))
    assert part.count.undecoded == 0


@pytest.mark.parametrize("kind", ["h264", "B-pictures", "hevc", "vp8"])
def test_packets_are_counted_from_the_first_moment_to_the_last(
    kind: str, kinds: Callable[[str], Recorded]
) -> None:
    found = kinds(kind)
    feed = found.feed(1500, 3200)
    feed.at(utc(100_000), 0)
    wanted = [at for at in found.pictures_ms if T0_MS + 1500 <= at < T0_MS + 3200]
    assert feed.count.packets == len(wanted)
    assert feed.count.key in {piece.name for piece in found.made.users[0].slices}


def test_decoding_begins_at_the_key_frame_before_the_moment(kinds: Callable[[str], Recorded]) -> None:
    """The first picture that comes out is that of the last key frame, a second at most before it."""
    found = kinds("h264")
    feed = found.feed(1700)
    first = next(p for p in feed._pictures if p.frame is not None)
    assert T0_MS + 700 < (taken_ms(first) or 0) <= T0_MS + 1700


@pytest.mark.parametrize(
    "rotation", [0, 90, 180, 270], ids=["upright", "a quarter", "upside down", "three quarters"]
)
def test_pictures_tell_how_they_are_turned(rotation: int, tmp_path: Path) -> None:
    found = recorded(tmp_path / "r", sender(picture=((0, 2000),), rotation=rotation))
    picture = found.feed().at(utc(1000), 0)
    assert picture is not None
    assert picture.clockwise == rotation
    assert taken_ms(picture) == latest(found, 1000)


def test_pictures_that_turn_and_grow_in_between(tmp_path: Path) -> None:
    """A new rotation holds from the slice that tells it on, or from inside of one."""
    changes = (Change(2000, Shape(240, 180)), Change(4000, Shape(240, 180, 90)))
    found = recorded(tmp_path / "r", sender(picture=((0, 6000),), changes=changes))
    feed = found.feed()
    shapes = {}
    for after in (500, 1990, 2010, 3990, 4010, 5500):
        picture = feed.at(utc(after), 0)
        assert picture is not None
        assert picture.frame is not None
        assert taken_ms(picture) == latest(found, after)
        shapes[after] = (picture.frame.width, picture.frame.height, picture.clockwise)
    assert shapes == {
        500: (160, 120, 0),
        1990: (160, 120, 0),
        2010: (240, 180, 0),
        3990: (240, 180, 0),
        4010: (240, 180, 90),
        5500: (240, 180, 90),
    }


@pytest.mark.parametrize("kind", [FaultKind.MISSING, FaultKind.EMPTY, FaultKind.RANDOM, FaultKind.HTML])
def test_a_slice_that_cannot_be_had_is_a_gap(kind: FaultKind, tmp_path: Path) -> None:
    fault = Fault(uid="1", track=Track.VIDEO, index=1, kind=kind)
    found = recorded(tmp_path / "r", sender(picture=((0, 6000),)), faults=(fault,))
    feed = found.feed()
    lost = found.made.users[0].slices[1].pictures_ms
    there = [at for at in found.pictures_ms if at not in lost]
    for at in found.pictures_ms:
        wanted = max(good for good in there if good <= at)
        assert taken_ms(feed.at(utc(at - T0_MS + 1), 0)) == wanted
    assert (feed.count.packets, feed.count.undecoded) == (len(there), 0)


@pytest.mark.parametrize("kind", ["h264", "B-pictures", "hevc"])
def test_of_a_slice_that_is_cut_off_whole_pictures_are_shown(kind: str, tmp_path: Path) -> None:
    fault = Fault(uid="1", track=Track.VIDEO, index=1, kind=FaultKind.TRUNCATED)
    user = sender(picture=((0, 6000),), gop_ms=2000, **KINDS[kind])
    found = recorded(tmp_path / "r", user, faults=(fault,))
    ends = [placed.piece.ends for run in found.video.runs for placed in run.placed]
    assert [each is not None and each.cut is not None for each in ends] == [False, True, False]
    feed = found.feed()
    shown = [feed.at(utc(at - T0_MS + 1), 0) for at in found.pictures_ms]
    taken = [taken_ms(picture) for picture in shown]
    lost = found.made.users[0].slices[1].pictures_ms
    assert all(now == at for now, at in zip(taken, found.pictures_ms, strict=True) if at not in lost)
    assert 5 < len({now for now in taken if now in lost}) < 25
    assert all((now, picture.utc) == (at, utc((at or 0) - T0_MS)) for now, at, picture in _pairs(shown))
    assert feed.count.undecoded == 1


def _pairs(shown: list[Picture | None]) -> list[tuple[int | None, int | None, Picture]]:
    """What each picture says, what its place says, and itself."""
    return [
        (taken_ms(picture), T0_MS + (picture.utc - utc(0)) // ticks.PER_MS, picture)
        for picture in shown
        if picture is not None
    ]


def noisy(*slices: tuple[int, int, int], tagged: tuple[str, ...] = ()) -> tuple[TrackTime, Files]:
    """Slices of noise: pictures ``skip`` to ``skip + count``, and ticks after the recording's start.

    Those that are ``tagged`` begin a run of their own.
    """
    coded = noise(8 * GOP)
    data = joined(*(picture_pes(coded[skip : skip + count], at) for skip, count, at in slices))
    files = Files({f"v{n}.ts": each for n, each in enumerate(data)})
    places = [(f"v{n}.ts", at) for n, (_, _, at) in enumerate(slices)]
    video = time_of(user_of(files, places, tagged=tagged)).video
    assert video is not None
    return video, files


def pictures_of(feed: Feed) -> list[Picture]:
    found = [feed.at(utc(0) + n * STEP + 1, 0) for n in range(20 * GOP)]
    out: list[Picture] = []
    for picture in found:
        if picture is not None and (not out or picture is not out[-1]):
            out.append(picture)
    return out


def test_pictures_before_the_first_key_frame_cannot_be_decoded_and_are_counted() -> None:
    video, files = noisy((5, 25, 0))
    feed = Feed(video, files.open, utc(0), utc(1_000_000))
    found = pictures_of(feed)
    assert [(picture.utc - utc(0)) // STEP for picture in found] == list(range(10, 25))
    assert (feed.count.packets, feed.count.undecoded) == (25, 10)


def test_after_a_hole_decoding_waits_for_a_key_frame() -> None:
    video, files = noisy((0, GOP, 0), (GOP + 5, 2 * GOP, 5 * ticks.TICKS))
    feed = Feed(video, files.open, utc(0), utc(1_000_000))
    found = [(picture.utc - utc(0)) // STEP for picture in pictures_of(feed)]
    assert found == [*range(GOP), *range(5 * GOP + 10, 5 * GOP + 2 * GOP)]
    assert feed.count.undecoded == 10


def test_where_runs_overlap_the_later_one_is_shown() -> None:
    video, files = noisy((0, 2 * GOP, 0), (2 * GOP, 2 * GOP, ticks.TICKS), tagged=("v1.ts",))
    assert [run.until for run in video.runs] == [utc(1000), None]
    found = pictures_of(Feed(video, files.open, utc(0), utc(1_000_000)))
    assert [(picture.utc - utc(0)) // STEP for picture in found] == list(range(3 * GOP))
    alone, own = noisy((2 * GOP, 2 * GOP, ticks.TICKS))
    later = pictures_of(Feed(alone, own.open, utc(0), utc(1_000_000)))
    assert len(later) == 2 * GOP
    for one, other in zip(found[GOP:], later, strict=True):
        assert np.array_equal(luma(one), luma(other))


def test_before_and_behind_a_user_s_other_pictures_nothing_of_a_run_is_shown() -> None:
    video, files = noisy((0, 4 * GOP, 0))
    (run,) = video.runs
    between = replace(run, since=utc(1000) + 2 * STEP + 9, yields=utc(3000))
    alone = replace(video, runs=(between,))
    assert Feed(alone, files.open, utc(0), utc(1_000_000)).at(between.start, 0) is None
    feed = Feed(alone, files.open, utc(0), utc(1_000_000))
    found = [(picture.utc - utc(0)) // STEP for picture in pictures_of(feed)]
    assert found == list(range(GOP + 3, 3 * GOP))


@pytest.mark.parametrize("behind", [-1, 0, 3, 9, 10, 25], ids=lambda n: f"{n} pictures behind the hole")
def test_begun_behind_a_hole_and_before_a_key_frame_the_picture_from_before_it_stays(behind: int) -> None:
    video, files = noisy((0, GOP, 0), (GOP + 5, 2 * GOP, 5 * ticks.TICKS))
    moment = utc(5000) + behind * STEP
    whole = Feed(video, files.open, utc(0), utc(1_000_000)).at(moment, 0)
    begun = Feed(video, files.open, moment, utc(1_000_000))
    part = begun.at(moment, 0)
    assert whole is not None
    assert part is not None
    assert part.utc == whole.utc
    assert np.array_equal(luma(whole), luma(part))
    begun.at(utc(100_000), 0)
    assert begun.count.undecoded == min(10, max(0, 10 - behind))


def test_a_slice_is_opened_when_its_time_has_come_and_closed_with_the_feed() -> None:
    video, files = noisy((0, GOP, 0), (GOP, GOP, 5 * ticks.TICKS), (2 * GOP, GOP, 10 * ticks.TICKS))
    feed = Feed(video, files.open, utc(0), utc(1_000_000))
    feed.at(utc(0), 0)
    files.data.pop("v2.ts")
    feed.at(utc(9000), 0)
    assert files.most_open == 1
    with pytest.raises(FileNotFoundError):
        feed.at(utc(10_500), 0)
    feed.close()
    assert files.open_now == 0


def test_a_feed_that_was_never_asked_opens_nothing() -> None:
    video, files = noisy((0, GOP, 5 * ticks.TICKS))
    feed = Feed(video, files.open, utc(0), utc(1_000_000))
    assert feed.at(utc(4999), 0) is None
    feed.close()
    assert files.most_open == 0


def torn(files: Files) -> None:
    """A TS packet of the only slice is lost, of a picture between the second key frame and the third."""
    data = files.data["v0.ts"]
    middle = len(data) // 188 * 3 // 8 * 188
    files.data["v0.ts"] = data[:middle] + data[middle + 188 :]


def test_what_refers_to_a_torn_picture_is_not_shown_up_to_the_next_key_frame() -> None:
    video, files = noisy((0, 4 * GOP, 0))
    torn(files)
    feed = Feed(video, files.open, utc(0), utc(1_000_000))
    shown = [(picture.utc - utc(0)) // STEP for picture in pictures_of(feed)]
    assert shown[0] == 0
    (last,) = [n for n, after in pairwise(shown) if after != n + 1]
    assert GOP < last < 2 * GOP - 1
    assert shown == [*range(last + 1), *range(2 * GOP, 4 * GOP)]
    assert (feed.count.packets, feed.count.undecoded) == (4 * GOP, 2 * GOP - last - 1)


def test_begun_behind_a_torn_picture_the_last_whole_one_is_shown() -> None:
    video, files = noisy((0, 4 * GOP, 0))
    torn(files)
    whole = Feed(video, files.open, utc(0), utc(1_000_000))
    for n in range(4 * GOP):
        moment = utc(0) + n * STEP
        one, other = whole.at(moment, 0), Feed(video, files.open, moment, utc(1_000_000)).at(moment, 0)
        assert one is not None
        assert other is not None
        assert one.utc == other.utc
        assert np.array_equal(luma(one), luma(other))


def test_a_run_without_a_key_frame_has_no_pictures() -> None:
    video, files = noisy((1, GOP - 1, 0))
    feed = Feed(video, files.open, utc(0), utc(1_000_000))
    assert pictures_of(feed) == []
    assert (feed.count.packets, feed.count.undecoded) == (GOP - 1, GOP - 1)


@pytest.mark.parametrize("off_s", [-3600, 2, 30, 3600])
def test_a_picture_whose_time_cannot_be_true_holds_up_no_other(off_s: int) -> None:
    whole = picture_pes(noise(8 * GOP)[: 4 * GOP], 7200 * ticks.TICKS)
    untrue = replace(whole[20], pts_ticks=whole[20].pts_ticks + off_s * ticks.TICKS)
    (data,) = joined([*whole[:20], untrue, *whole[21:]])
    files = Files({"v0.ts": data})
    video = time_of(user_of(files, [("v0.ts", 0)])).video
    assert video is not None
    for first in (0, 18, 25):
        feed = Feed(video, files.open, utc(0) + first * STEP, utc(1_000_000))
        shown = [feed.at(utc(0) + n * STEP + 1, 0) for n in range(first, 4 * GOP)]
        places = [(picture.utc - utc(0)) // STEP for picture in shown if picture is not None]
        assert places == [19 if n == 20 else n for n in range(first, 4 * GOP)]
