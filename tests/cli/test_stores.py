"""The command between buckets, as a user calls it: a file of stores, keys in the environment, TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.storage.open import open_store
from tests.cli.running import run
from tests.servers.faults import DENIED, every, faulty
from tests.sources.stored import put_all
from tests.storage.servers import bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.servers.s3 import Account, S3Server

STORE = """
[stores.{name}]
profile = "swift"
endpoint = "{endpoint}"
bucket = "{bucket}"
prefix = "{prefix}"
access_key_env = "{variable}_KEY"
secret_key_env = "{variable}_SECRET"
"""


def store(name: str, server: S3Server, bucket: str, prefix: str = "") -> str:
    """A table of ``recpipe.toml``; its keys are in ``<NAME>_KEY`` and ``<NAME>_SECRET``."""
    text = STORE.format(
        name=name, endpoint=server.endpoint, bucket=bucket, prefix=prefix, variable=name.upper()
    )
    return text + (f'ca_bundle = "{server.ca}"\n' if server.ca else "")


def keys(name: str, account: Account) -> dict[str, str]:
    return {f"{name.upper()}_KEY": account.access_key, f"{name.upper()}_SECRET": account.secret_key}


def recpipe(place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, with an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), "HOME": str(place), **more},  # noqa: PTH109 - where the package is
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_from_one_account_into_another_over_tls(
    swift_tls: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    ours, theirs = swift_tls.accounts[:2]
    calls, vod = bucket(swift_tls, ours), bucket(swift_tls, theirs)
    source = open_store(settings(swift_tls, calls, "agora/room7/"), environ(swift_tls, ours))
    put_all(made("plain-agora").place, source)
    (tmp_path / "recpipe.toml").write_text(
        store("calls", swift_tls, calls, "agora/") + store("vod", swift_tls, vod)
    )
    both = keys("calls", ours) | keys("vod", theirs)

    for asked in (["inspect", "calls:room7"], ["plan", "calls:room7/"]):
        said = recpipe(tmp_path, *asked, "--json", **both)
        assert (said.returncode, said.stderr) == (0, ""), said
        assert "101" in said.stdout
    said = recpipe(tmp_path, "merge", "calls:room7", "-o", "vod:done", **both)
    assert said.returncode == 0, said
    assert "vod:done/101_" in said.stdout
    target = open_store(settings(swift_tls, vod, "done/"), environ(swift_tls, theirs))
    manifest = json.loads(target.get("manifest.json").data)
    assert [target.stat(o["file"]).size for o in manifest["outputs"]] == [
        o["size"] for o in manifest["outputs"]
    ]
    said = recpipe(tmp_path, "merge", "calls:room7", "-o", "vod:done", **both)
    assert "already done" in said.stdout
    everything = said.stdout + said.stderr
    assert not any(a.secret_key in everything for a in (ours, theirs))


@pytest.mark.parametrize(
    ("source", "told", "code"),
    [
        pytest.param(
            "nostore:x",
            "recpipe: there is no store 'nostore': recpipe.toml has here; "
            "write ./nostore:x/ if it is a folder\n",
            2,
            id="a name that nobody gave",
        ),
        pytest.param(
            "here:nothing",
            "recpipe: here:nothing is empty: give the folder that holds playlists and slices.\n",
            3,
            id="a prefix without objects",
        ),
    ],
)
def test_a_place_that_is_not_there(
    swift_http: S3Server, tmp_path: Path, source: str, told: str, code: int
) -> None:
    (tmp_path / "recpipe.toml").write_text(store("here", swift_http, bucket(swift_http)))
    said = recpipe(tmp_path, "inspect", source, **keys("here", swift_http.accounts[0]))
    assert (said.stdout, said.stderr, said.returncode) == ("", told, code)


def test_keys_that_are_not_set(swift_http: S3Server, tmp_path: Path) -> None:
    (tmp_path / "recpipe.toml").write_text(store("here", swift_http, "any"))
    said = recpipe(tmp_path, "inspect", "here:")
    assert said.returncode == 2
    assert said.stderr == (
        "recpipe: the environment has no HERE_KEY and no HERE_SECRET: set it to the credentials that "
        "recpipe.toml expects there\n"
    )


def test_a_store_that_refuses_is_exit_code_6_and_one_sentence(swift_http: S3Server, tmp_path: Path) -> None:
    with faulty(swift_http, every(1, DENIED)) as between:
        (tmp_path / "recpipe.toml").write_text(store("here", between.server, "calls"))
        said = recpipe(tmp_path, "inspect", "here:room", **keys("here", swift_http.accounts[0]))
    assert said.returncode == 6
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "s3://calls/room/ is refused (AccessDenied" in said.stderr


def test_an_address_of_another_kind_says_what_to_write() -> None:
    said = run("merge", "oss://bucket/room", "-o", "out")
    assert said.code == 2
    assert 'add a store with profile = "oss" to recpipe.toml and write NAME:prefix' in said.err
