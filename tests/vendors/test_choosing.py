"""Whose name is it: the choice between the vendors by markers and by the first field."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.outputs import DEFAULT, fill
from pipeline.vendors import VENDORS, parse
from pipeline.vendors.base import BadNameError, Ignored
from tests.vendors import test_agora_names as agora
from tests.vendors import test_agora_onpremise_names as onpremise
from tests.vendors import test_trtc_names as trtc
from tests.vendors import test_volcengine_names as volcengine
from tests.vendors.laws import patient


@pytest.mark.parametrize(
    ("key", "vendor"),
    [
        pytest.param("1400123456_12345__UserId_s_YQ..__UserId_e_main.mp4", "trtc", id="a TRTC user"),
        pytest.param("sid713_c__uid_s_123__uid_e_audio.m3u8", "agora", id="an Agora user"),
        pytest.param(
            "20055501_c__uid_s_123__uid_e_audio.m3u8",
            "agora",
            id="an Agora user whose sid looks like an app id",
        ),
        pytest.param(
            "sid_UserId_s_x__uid_s_123__uid_e_audio.m3u8", "agora", id="an Agora channel with TRTC's marker"
        ),
        pytest.param("20055501_1042317788.m3u8", "trtc", id="a mix of an app id with 8 digits"),
        pytest.param("task./1400123456_1042317788.m3u8", "trtc", id="a mix of an app id with 10 digits"),
        pytest.param("20055501_1042317788_20260120113037408.ts", "trtc", id="a mixed slice"),
        pytest.param("ha1_20055501_1042317788.m3u8", "trtc", id="a mix after a fail-over"),
        pytest.param("a__UserDefine_u_1_2.mp4", "trtc", id="a mix with a record id"),
        pytest.param("20055501_my_room.m3u8", "agora", id="a room with an underscore cannot be TRTC's"),
        pytest.param("38f8e3cfdc474cd56fc1ceba380d7e1a_math.m3u8", "agora", id="a composite of a real sid"),
        pytest.param("38010000000000000000000000000012_7.m3u8", "agora", id="a sid that has only digits"),
        pytest.param("test_p1627613634_www_0.mp4", "agora", id="a web recording"),
        pytest.param("1234567_7.mp4", "trtc", id="what Agora refuses TRTC may take"),
        pytest.param("0_20190208084418569.aac", "agora_onpremise", id="on-premise sound"),
        pytest.param("uid_0_20190208084418570.txt", "agora_onpremise", id="on-premise events"),
        pytest.param("0_20190208084418569.ts", "agora_onpremise", id="on-premise TS"),
        pytest.param(
            "bob_smith_20190208084418974.mp4", "agora_onpremise", id="an on-premise user with an underscore"
        ),
        pytest.param(
            "bob_smith_20190208084418974.ts",
            "agora",
            id="TS of an on-premise user with an underscore looks like a slice of a mix",
        ),
        pytest.param(
            "2876501943_20190208084418974.mp4", "agora_onpremise", id="an on-premise user like an app id"
        ),
        pytest.param("2876501943_1759233600123.mp4", "agora_onpremise", id="the same in 4.x"),
        pytest.param("20055501_room_20190208084418974.ts", "trtc", id="a slice of a mix in a string room"),
        pytest.param("t_r_u_C_1700000000000_000061_Ab12Cd34.mp4", "volcengine", id="a Volcengine user"),
        pytest.param("t_r_1700000000000_000000.m3u8", "volcengine", id="a mix of Volcengine"),
        pytest.param("t_r_u_C_1700000000000_000061_Ab12Cd34", "volcengine", id="without an extension"),
        pytest.param(
            "20055501_7_u_C_1700000000000_000061_45678903.mp4", "volcengine", id="a task id like an app id"
        ),
        pytest.param(
            "ha1_7_u_C_1700000000000_000061_45678903.mp4", "volcengine", id="a task id like a fail-over"
        ),
        pytest.param("sid_1700000000000_0.mp4", "agora", id="a channel that is called like a time"),
        pytest.param("sid_room_1700000000000_0.m3u8", "agora", id="an index that was uploaded again"),
        pytest.param("sid_room_1700000000000.m3u8", "agora", id="a channel that ends in a time"),
    ],
)
def test_a_name_belongs_to_the_vendor_that_wrote_it(key: str, vendor: str) -> None:
    found = parse(key)
    assert not isinstance(found, Ignored)
    assert found.vendor == vendor
    assert str(found) == key


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        pytest.param("20055501_7.mp4.aac", "no timing", id="sound to recover is no room of TRTC"),
        pytest.param("sid_room_0.mp4.h264", "no timing", id="pictures to recover"),
        pytest.param("recording2-done.txt", "the mark", id="the mark of the on-premise SDK"),
        pytest.param(f"{'a_' * 63}a~.m3u8", "was cut", id="a name that Volcengine cut is no channel"),
        pytest.param(
            "t_r_1700000000000_000030.mp4.tmp", "never finished", id="a temporary file of Volcengine"
        ),
        pytest.param("dXNlcl8wMQ.._20260120113022488_av.mp4", "merge script", id="a merged TRTC user"),
        pytest.param("100_20190611073246073_av.mp4", "merge script", id="a merged Agora user"),
        pytest.param("20055501_7.ts.part", "never finished", id="a temporary file with an app id"),
    ],
)
def test_a_known_file_that_is_no_input_is_ignored(key: str, reason: str) -> None:
    ignored = parse(key)
    assert isinstance(ignored, Ignored)
    assert reason in ignored.reason


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("holiday.jpg", id="a photograph"),
        pytest.param("ha4_20055501_1042317788.m3u8", id="a fourth fail-over is not an Agora sid"),
        pytest.param("20055501_7__UserId_s_YQ==__UserId_e_main_audio.m3u8", id="a broken TRTC user"),
        pytest.param("sid_c__uid_s___uid_e_audio.m3u8", id="a broken Agora user"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_nobody_wrote_is_refused_in_one_sentence(key: str) -> None:
    with pytest.raises(BadNameError) as caught:
        parse(key)
    assert str(caught.value) == f"expected a recording name of Agora, TRTC or Volcengine: {key!r}"


TABLES = {
    **{f"agora, {row}": key for row, (key, _) in agora.NAMES.items()},
    **{f"agora_onpremise, {row}": key for row, (key, *_) in onpremise.NAMES.items()},
    **{f"trtc, {row}": key for row, (key, *_) in trtc.NAMES.items()},
    **{f"volcengine, {row}": key for row, (key, task, _) in volcengine.NAMES.items() if task is None},
}


@pytest.mark.parametrize(("row", "key"), TABLES.items(), ids=TABLES)
def test_no_vendor_takes_a_name_from_the_table_of_another(row: str, key: str) -> None:
    vendor = row.partition(",")[0]
    assert parse(key) == VENDORS[vendor].parse(key)


OUTPUTS = {
    **{f"agora, {row}": key for row, (key, _) in agora.NO_INPUTS.items()},
    **{f"agora_onpremise, {row}": key for row, (key, _) in onpremise.NO_INPUTS.items()},
    **{f"trtc, {row}": key for row, (key, _) in trtc.NO_INPUTS.items()},
    **{f"volcengine, {row}": key for row, (key, _) in volcengine.NO_INPUTS.items()},
}


@pytest.mark.parametrize("key", OUTPUTS.values(), ids=OUTPUTS)
def test_what_one_vendor_knows_as_no_input_is_no_input_of_another(key: str) -> None:
    assert isinstance(parse(key), Ignored)


@patient
@given(
    uid=st.text(min_size=1) | st.sampled_from(["7", "a__uid_s_b", "UserId_s_", "ha1_7", "uid_7"]),
    screen=st.sampled_from(["", "_screen"]),
    kind=st.sampled_from(["_av.mp4", "_video.mp4", ".m4a"]),
)
def test_what_recpipe_writes_is_never_taken_for_an_input(uid: str, screen: str, kind: str) -> None:
    values = {"uid": uid, "screen": screen, "utc": "20190611073246073", "kind": "", "recording": ""}
    assert isinstance(parse(f"{fill(DEFAULT, values)}{kind}"), Ignored)


@patient
@given(st.text())
def test_any_text_is_a_name_or_ignored_or_refused(key: str) -> None:
    try:
        found = parse(key)
    except BadNameError:
        return
    assert isinstance(found, Ignored) or str(found) == key


def test_every_vendor_of_the_table_calls_itself_by_its_key() -> None:
    keys = {
        "agora": "38f8e3cfdc474cd56fc1ceba380d7e1a_math.m3u8",
        "agora_onpremise": "0_20190208084418569.aac",
        "trtc": "20055501_1042317788.m3u8",
        "volcengine": "t_r_1700000000000_000000.m3u8",
    }
    assert VENDORS.keys() == keys.keys()
    for name, vendor in VENDORS.items():
        found = vendor.parse(keys[name])
        assert not isinstance(found, Ignored)
        assert found.vendor == name
        if name != "agora_onpremise":  # which writes no playlists
            assert vendor.read_playlist("#EXTM3U\n#EXT-X-ENDLIST\n", keys[name]).ended


def test_names_are_read_without_the_playlist_library_or_the_codec() -> None:
    code = "import sys, pipeline.vendors; sys.exit('m3u8' in sys.modules or 'av' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
