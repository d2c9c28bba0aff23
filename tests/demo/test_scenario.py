from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.demo.default import meeting
from pipeline.demo.scenario import FaultKind, Pts, Scenario, ScenarioError, Source, Track, User, Vendor
from pipeline.demo.scenario_toml import parse

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures").glob("*.toml"))

PLAIN = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
[[users]]
uid = "101"
sound = [[0, 10]]
picture = [[0.5, 10]]
"""


def test_a_scenario_is_what_its_text_says() -> None:
    text = """
vendor = "trtc"
start = 1772442000250
slice_seconds = 5
channel = "77"
[playlist]
comma = false
crlf = true
[[users]]
uid = "a b"
number = 9
size = "120x160"
fps = 12
jitter_ms = 3
codec = "hevc"
bframes = 2
gop_seconds = 1.5
rotation = 270
rate = 44100
channels = 2
sound = [[0, 1.25], [2, 3]]
picture = [[0.001, 9]]
pts = "restart"
pts_start = 8589934591
merged = true
bit_rate = 50000
[[users]]
uid = "a b"
source = "screen"
picture = [[0, 9]]
[[faults]]
user = "a b"
source = "screen"
track = "video"
slice = 1
kind = "html"
"""
    scenario = parse(text)
    first, second = scenario.users
    assert (scenario.vendor, scenario.start_ms, scenario.slice_ms) == (Vendor.TRTC, 1_772_442_000_250, 5000)
    assert (scenario.channel, scenario.style.comma, scenario.style.crlf) == ("77", False, True)
    assert first == User(
        uid="a b",
        number=9,
        width=120,
        height=160,
        fps=12,
        jitter_ms=3,
        codec="hevc",
        bframes=2,
        gop_ms=1500,
        rotation=270,
        rate=44_100,
        channels=2,
        sound=((0, 1250), (2000, 3000)),
        picture=((1, 9000),),
        pts=Pts.RESTART,
        pts_start=(1 << 33) - 1,
        merged=True,
        bit_rate=50_000,
    )
    assert (second.number, second.source, second.tracks) == (2, Source.SCREEN, (Track.VIDEO,))
    assert [(fault.index, fault.kind) for fault in scenario.faults] == [(1, FaultKind.HTML)]


def test_a_date_time_start_is_utc_milliseconds() -> None:
    assert parse(PLAIN).start_ms == 1_772_442_000_250
    assert parse(PLAIN.replace("09:00:00.250Z", "10:00:00.250+01:00")).start_ms == 1_772_442_000_250


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_fixture_is_a_scenario_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text("utf-8")
    comment = text.partition("vendor = ")[0]
    assert comment.startswith("# ")
    assert comment.endswith(".\n")
    assert isinstance(parse(text), Scenario)


def test_there_are_fixtures() -> None:
    assert len(FIXTURES) > 20


def test_the_demo_is_three_people_for_75_seconds() -> None:
    users = meeting().users
    assert len(users) == 3
    assert max(to for user in users for _, to in user.sound + user.picture) == 75_000


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('vendor = "agora"', 'vendor = "zoom"', "vendor cannot be 'zoom'"),
        ('vendor = "agora"', "", "the scenario has no vendor"),
        ("start = 2026-03-02T09:00:00.250Z", "start = 2026-03-02T09:00:00", "with an offset"),
        ("start = 2026-03-02T09:00:00.250Z", "start = true", "a date-time or UTC milliseconds"),
        ("start = 2026-03-02T09:00:00.250Z", "start = -5", "after 1970"),
        ("start = 2026-03-02T09:00:00.250Z", "", "start is a date-time"),
        ('uid = "101"', 'uid = "anna"', "an Agora user id is decimal, not 'anna'"),
        ('uid = "101"', "uid = 101", r"users\[0\]: uid is text, not 101"),
        ('uid = "101"', 'uid = "101"\ncolour = "red"', r"users\[0\] has an unknown key 'colour'"),
        ('uid = "101"', 'uid = "101"\nsize = "320"', "a size is like 320x180"),
        ('uid = "101"', 'uid = "101"\nsize = "321x180"', "odd side"),
        ('uid = "101"', 'uid = "101"\nsize = "100x80"', "too small"),
        ('uid = "101"', 'uid = "101"\nfps = 0', "fps is 1..60"),
        ('uid = "101"', 'uid = "101"\nfps = true', "fps is a whole number"),
        ('uid = "101"', 'uid = "101"\njitter_ms = 40', "jitter_ms stays below"),
        ('uid = "101"', 'uid = "101"\ncodec = "vp8"', "codec is h264 or hevc, not 'vp8'"),
        ('uid = "101"', 'uid = "101"\nrotation = 45', "rotation is 0, 90, 180 or 270"),
        ('uid = "101"', 'uid = "101"\nrate = 47000', "no rate of 47000"),
        ('uid = "101"', 'uid = "101"\nchannels = 6', "channels are 1 or 2"),
        ('uid = "101"', 'uid = "101"\npts_start = 8589934592', "33 bits"),
        ('uid = "101"', 'uid = "101"\nmerged = true', "Agora never merges"),
        ('uid = "101"', 'uid = "101"\nnumber = 256', "the number is 0..255"),
        ('uid = "101"', 'uid = "101"\nbframes = 9', "bframes is 0..4"),
        ('uid = "101"', 'uid = "101"\ngop_seconds = 0.01', "below one picture"),
        ("sound = [[0, 10]]", "sound = [[5, 10], [4, 11]]", "is too early"),
        ("sound = [[0, 10]]", "sound = [[5, 5.01]]", "shorter than"),
        ("sound = [[0, 10]]", "sound = [5, 10]", "no such pair"),
        ("sound = [[0, 10]]", "sound = 5", "a list of"),
        ("sound = [[0, 10]]", 'sound = [["a", 1]]', "a number of seconds"),
        ("sound = [[0, 10]]", "sound = [[0, inf]]", "between 0 and a million"),
        ("sound = [[0, 10]]", "sound = [[0, 90000]]", "within 24 hours"),
        ("picture = [[0.5, 10]]", "picture = [[0, 5], [5.1, 9]]", "is too early"),
        ("sound = [[0, 10]]\npicture = [[0.5, 10]]", "", "neither sound nor picture"),
        ("[[users]]", "slice_seconds = 0.5\n[[users]]", "at least a second"),
        ("[[users]]", "users = 5\n[other]", "array of tables"),
        ("[[users]]", "playlist = 5\n[[users]]", "playlist is a table"),
        ('uid = "101"', 'uid = "101', "no TOML"),
    ],
)
def test_an_impossible_scenario_is_refused_in_one_sentence(old: str, new: str, sentence: str) -> None:
    assert old in PLAIN
    with pytest.raises(ScenarioError, match=sentence) as caught:
        parse(PLAIN.replace(old, new))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ('user = "102"\ntrack = "audio"\nslice = 0\nkind = "empty"', "who is not there"),
        ('user = "101"\ntrack = "audiovideo"\nslice = 0\nkind = "empty"', "no such slices"),
        ('user = "101"\ntrack = "audio"\nslice = -1\nkind = "empty"', "count from 0"),
        ('user = "101"\ntrack = "audio"\nslice = 0\nkind = "late"', "kind cannot be 'late'"),
        ('user = "101"\ntrack = "audio"\nkind = "empty"', "has no slice"),
    ],
)
def test_an_impossible_fault_is_refused(fault: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        parse(f"{PLAIN}[[faults]]\n{fault}\n")


def test_a_slice_has_one_fault_and_a_user_one_entry() -> None:
    fault = '[[faults]]\nuser = "101"\ntrack = "audio"\nslice = 0\nkind = "empty"\n'
    with pytest.raises(ScenarioError, match="two faults"):
        parse(PLAIN + fault * 2)
    with pytest.raises(ScenarioError, match="occurs twice"):
        parse(PLAIN + PLAIN[PLAIN.index("[[users]]") :])
