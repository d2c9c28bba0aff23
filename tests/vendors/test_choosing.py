"""Whose name is it: the choice between the vendors by markers and by the first field."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.vendors import VENDORS, parse
from pipeline.vendors.base import BadNameError, Ignored
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
        pytest.param("0_20190208084418569.aac", "on-premise", id="on-premise sound"),
        pytest.param("2876501943_20190208084418974.mp4", "on-premise", id="on-premise user like an app id"),
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
    assert str(caught.value) == f"expected an Agora or TRTC recording name: {key!r}"


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
        "trtc": "20055501_1042317788.m3u8",
    }
    assert VENDORS.keys() == keys.keys()
    for name, vendor in VENDORS.items():
        found = vendor.parse(keys[name])
        assert not isinstance(found, Ignored)
        assert found.vendor == name
        assert vendor.read_playlist("#EXTM3U\n#EXT-X-ENDLIST\n", keys[name]).ended


def test_names_are_read_without_the_playlist_library_or_the_codec() -> None:
    code = "import sys, pipeline.vendors; sys.exit('m3u8' in sys.modules or 'av' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
