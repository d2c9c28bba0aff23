"""Where recpipe.toml is looked for, how it is read, and which store an address means."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.storage.address import StoreAddress
from pipeline.storage.settings import Settings, candidates, read_settings
from pipeline.storage.settings_toml import parse_settings
from tests.storage.refusals import said

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = Path("conf/recpipe.toml")


def one_store(bucket: str) -> str:
    return f'[stores.rec]\nprofile = "aws"\nbucket = "{bucket}"\n'


@pytest.mark.parametrize(
    ("config", "environ", "named", "places"),
    [
        pytest.param("a.toml", {"RECPIPE_CONFIG": "b.toml"}, "--config", ["a.toml"], id="the option first"),
        pytest.param(
            None, {"RECPIPE_CONFIG": "b.toml"}, "RECPIPE_CONFIG", ["b.toml"], id="then the variable"
        ),
        pytest.param(
            None,
            {"RECPIPE_CONFIG": "", "XDG_CONFIG_HOME": "/x", "HOME": "/h"},
            "",
            ["recpipe.toml", "/x/recpipe/recpipe.toml"],
            id="then this folder and the configuration folder",
        ),
        pytest.param(
            None,
            {"HOME": "/h"},
            "",
            ["recpipe.toml", "/h/.config/recpipe/recpipe.toml"],
            id="which is in HOME",
        ),
        pytest.param(
            None,
            {"XDG_CONFIG_HOME": "x", "HOME": "/h"},
            "",
            ["recpipe.toml", "/h/.config/recpipe/recpipe.toml"],
            id="a relative configuration folder does not count",
        ),
        pytest.param(None, {}, "", ["recpipe.toml"], id="without HOME only this folder"),
    ],
)
def test_where_the_file_is_looked_for(
    config: str | None, environ: Mapping[str, str], named: str, places: list[str]
) -> None:
    assert candidates(config, environ) == (named, tuple(map(Path, places)))


def test_the_first_file_that_is_there_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path)}
    assert read_settings(None, environ) == Settings()
    home = tmp_path / ".config/recpipe/recpipe.toml"
    home.parent.mkdir(parents=True)
    home.write_text(one_store("at-home"), encoding="utf-8")
    assert read_settings(None, environ).stores["rec"].bucket == "at-home"
    Path("recpipe.toml").write_text(one_store("here"), encoding="utf-8")
    assert read_settings(None, environ).stores["rec"].bucket == "here"
    assert read_settings(str(home), environ).stores["rec"].bucket == "at-home"
    assert read_settings(None, {**environ, "RECPIPE_CONFIG": str(home)}).stores["rec"].bucket == "at-home"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said(lambda: read_settings("a.toml", {})) == (
        "a.toml, which --config names, is not there: expected a recpipe.toml"
    )
    assert said(lambda: read_settings(None, {"RECPIPE_CONFIG": "b.toml"})) == (
        "b.toml, which RECPIPE_CONFIG names, is not there: expected a recpipe.toml"
    )
    Path("recpipe.toml").mkdir()
    assert said(lambda: read_settings(None, {})) == (
        "recpipe.toml cannot be read: Is a directory; mend it or name another file"
    )
    Path("latin.toml").write_bytes("# é".encode("latin-1"))
    assert said(lambda: read_settings("latin.toml", {})) == "latin.toml is not UTF-8 text: expected TOML"
    Path("big.toml").write_bytes(b"#" * (2**20 + 1))
    assert said(lambda: read_settings("big.toml", {})) == (
        "big.toml is over 1 MiB: expected the settings of a few stores"
    )


def test_without_a_file_the_schema_library_is_not_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pipeline.storage.settings import read_settings\n"
        "from pipeline.storage.address import parse_address\n"
        "read_settings(None, {}).store_of(parse_address('s3://bucket/rec'), {})\n"
        "assert not {'pydantic', 'boto3', 'botocore'} & set(sys.modules)"
    )
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env={"PYTHONPATH": root})


TWO = """
[stores.rec]
profile = "aws"
bucket = "recordings"
prefix = "calls"
[stores.vod]
profile = "aws"
bucket = "outputs"
"""


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        (StoreAddress("rec", "", ""), "recordings", "calls/"),
        (StoreAddress("rec", "", "2026/"), "recordings", "calls/2026/"),
        (StoreAddress("vod", "", ""), "outputs", ""),
        (StoreAddress("", "other", "a/"), "other", "a/"),
    ],
    ids=str,
)
def test_the_store_of_an_address(address: StoreAddress, bucket: str, prefix: str) -> None:
    made = parse_settings(TWO, SOURCE).store_of(address, {})
    assert (made.bucket, made.prefix) == (bucket, prefix)


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        (parse_settings(TWO, SOURCE), "conf/recpipe.toml has rec, vod"),
        (parse_settings("", SOURCE), "conf/recpipe.toml has none"),
        (Settings(), "no recpipe.toml was found"),
    ],
    ids=["two stores", "an empty file", "no file"],
)
def test_a_store_that_the_file_does_not_have_is_refused(settings: Settings, known: str) -> None:
    assert said(lambda: settings.store_of(StoreAddress("foo", "", "a/"), {})) == (
        f"there is no store 'foo': {known}; write ./foo:a/ if it is a folder"
    )
