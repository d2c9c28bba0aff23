"""Which names mean a vendor's naming, and which are patterns of our own."""

from __future__ import annotations

import pytest

from pipeline.errors import CommandError
from pipeline.model.outputs import DEFAULT
from pipeline.vendors import VENDORS
from pipeline.vendors.styles import WRITERS, Style, style_of


@pytest.mark.parametrize(
    ("name", "style"),
    [
        pytest.param("", None, id="the default"),
        pytest.param(DEFAULT, None, id="our pattern"),
        pytest.param("lesson", None, id="a word"),
        pytest.param("my-trtc", None, id="a word that ends in a vendor"),
        pytest.param("agora_onpremise", None, id="a vendor whose files have no pattern"),
        pytest.param("trtc", Style("trtc"), id="TRTC"),
        pytest.param("TRTC", Style("trtc"), id="in capitals"),
        pytest.param("trtc:lesson_7", Style("trtc", "", "lesson_7"), id="a prefix of names"),
        pytest.param("trtc:a_1/b/lesson_7", Style("trtc", "a_1/b", "lesson_7"), id="folders and a prefix"),
        pytest.param("trtc:a_1/b/", Style("trtc", "a_1/b"), id="folders alone"),
        pytest.param(
            "agora:directory1/directory2", Style("agora", "directory1/directory2"), id="Agora's folders"
        ),
        pytest.param("agora:directory1/", Style("agora", "directory1"), id="a slash at the end"),
        pytest.param(
            "volcengine:{TaskId}_a", Style("volcengine", "", "{TaskId}_a"), id="a pattern of Volcengine"
        ),
        pytest.param(
            "volcengine:d1/d2/{Random}", Style("volcengine", "d1/d2", "{Random}"), id="with folders"
        ),
    ],
)
def test_a_name_means_a_style_or_a_pattern(name: str, style: Style | None) -> None:
    assert style_of(name) == style


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(
            "agora:", "--name agora: has nothing behind the colon: leave the colon out.", id="nothing"
        ),
        pytest.param(
            "{TaskId}_{userid}",
            "--name '{TaskId}_{userid}' has variables of Volcengine: put volcengine: before it.",
            id="Volcengine's variables",
        ),
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        style_of(name)
    assert str(caught.value) == told


def test_every_style_is_a_vendor_s() -> None:
    assert WRITERS.keys() <= VENDORS.keys()
