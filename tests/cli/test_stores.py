"""The command between buckets, as a user calls it: a file of stores, keys in the environment, TLS."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from pipeline.storage.below import Below
from pipeline.storage.open import open_store
from tests.cells import cell
from tests.cli.running import run
from tests.documents import ROOT
from tests.servers.faults import DENIED, Drop, Strike, at, every, faulty, never
from tests.sources.stored import put_all
from tests.storage.servers import bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.servers.faults import Request
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


def started(place: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """The command in a folder, with an environment of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(place), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def recpipe(place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    with started(place, *arguments, **more) as process:
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


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
    files = [output["file"] for output in manifest["outputs"]]
    for path, level, told in (
        ("vod:done", "full", "2 of 2 files good"),
        (f"vod:done/{files[0]}", "fast", "1 of 1 file good"),
        ("vod:", "fast", "2 of 2 files good"),
    ):
        said = recpipe(tmp_path, "verify", path, "--level", level, **both)
        assert (said.returncode, said.stderr) == (0, ""), said
        assert said.stdout.endswith(f"{told}\n")
    target.delete(files[0])
    said = recpipe(tmp_path, "verify", "vod:done", "--level", "fast", **both)
    assert (said.returncode, said.stderr) == (5, ""), said
    assert f"BAD  vod:done/{files[0]}: it is not there\n" in said.stdout
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


def test_a_store_that_does_not_answer_is_told_long_before_it_is_given_up(
    swift_http: S3Server, tmp_path: Path
) -> None:
    with faulty(swift_http, every(1, Drop())) as between:
        (tmp_path / "recpipe.toml").write_text(store("here", between.server, "calls"))
        with started(tmp_path, "inspect", "here:room", **keys("here", swift_http.accounts[0])) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            process.terminate()
            process.communicate(timeout=120)
    assert said.startswith("recpipe: s3://calls/room/: the connection broke (")
    assert re.search(r"; it is tried again for 11\d s more\.\n$", said)


def test_an_endpoint_at_which_nobody_listens_ends_the_command_at_once(
    swift_http: S3Server, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = replace(swift_http, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
    (tmp_path / "recpipe.toml").write_text(store("here", nobody, "calls"))
    said = recpipe(tmp_path, "inspect", "here:room", **keys("here", swift_http.accounts[0]))
    assert (said.stdout, said.returncode) == ("", 6)
    where = nobody.endpoint.removeprefix("http://")
    assert said.stderr == (
        f"recpipe: s3://calls/room/ cannot be asked for: nothing listens at {where}: check the endpoint of "
        "its store, or run again later.\n"
    )


def test_an_address_of_another_kind_says_what_to_write() -> None:
    said = run("merge", "oss://bucket/room", "-o", "out")
    assert said.code == 2
    assert 'add a store with profile = "oss" to recpipe.toml and write NAME:prefix' in said.err


REQUESTS = (1, 9, 20, 26, 33)
"""At which of them a merge of ``plain-agora`` is ended: listing, looking, fetching, delivering."""
ALWAYS = {(9, False), (20, True), (33, False), (33, True)}


@pytest.mark.parametrize(
    ("number", "after"),
    [
        cell(
            number,
            after,
            name=f"{number}, {'after' if after else 'before'} the answer",
            always=(number, after) in ALWAYS,
        )
        for number in REQUESTS
        for after in (False, True)
    ],
)
def test_a_merge_that_is_terminated_leaves_nothing_and_goes_on(
    number: int, *, after: bool, swift_http: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    name = bucket(swift_http)
    inside = open_store(settings(swift_http, name), environ(swift_http))
    put_all(made("plain-agora").place, Below(inside, "in/"))
    (tmp_path / "tmp").mkdir()
    given = {**keys("here", swift_http.accounts[0]), "TMPDIR": str(tmp_path / "tmp")}
    running: list[subprocess.Popen[str]] = []

    def end(_: Request) -> None:
        running[0].terminate()
        running[0].wait(60)

    with faulty(swift_http) as between:
        (tmp_path / "recpipe.toml").write_text(store("here", between.server, name))
        merge = ["merge", "here:in", "-o", "here:out", "--jobs", "2"]
        between.rule = at(number, Strike(end, after=after))
        running.append(started(tmp_path, *merge, **given))
        said = running[0].communicate(timeout=120)
        assert running[0].returncode == 143, said
        assert list((tmp_path / "tmp").iterdir()) == []
        assert "out/manifest.json" not in {stat.key for stat in inside.list("")}
        between.rule = never
        again = recpipe(tmp_path, *merge, **given)
        assert again.returncode == 0, again
    (local,) = merge_all(Folder(made("plain-agora").place), tmp_path / "local", Options(), Limits())
    for output in local.manifest.outputs:
        stored = inside.get(f"out/{output.file}").data
        assert hashlib.sha256(stored).hexdigest() == output.sha256
    assert list(inside.uploads("")) == []


def test_pictures_from_one_store_into_another(
    swift_tls: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    account = swift_tls.accounts[0]
    calls, pictures = bucket(swift_tls), bucket(swift_tls)
    put_all(made("plain-agora").place, open_store(settings(swift_tls, calls, "room7/"), environ(swift_tls)))
    (tmp_path / "recpipe.toml").write_text(
        store("calls", swift_tls, calls) + store("pictures", swift_tls, pictures)
    )
    both = keys("calls", account) | keys("pictures", account)
    asked = ("snapshot", "calls:room7", "-o", "pictures:room7", "--every", "2s", "--sheet", "--name", "agora")
    said = recpipe(tmp_path, *asked, **both)
    assert (said.returncode, said.stderr) == (0, ""), said
    target = open_store(settings(swift_tls, pictures, "room7/"), environ(swift_tls))
    here = run("snapshot", made("plain-agora").place, "-o", tmp_path / "here", *asked[4:])
    assert here.code == 0
    there = {stat.key: target.get(stat.key).data for stat in target.list("")}
    files = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    assert there.keys() == files.keys()
    assert all(there[name] == data for name, data in files.items() if name != "manifest.json")
    assert "already done" in recpipe(tmp_path, *asked, **both).stdout
    for level in ("fast", "full"):
        said = recpipe(tmp_path, "verify", "pictures:room7", "--level", level, **both)
        assert (said.returncode, said.stderr) == (0, ""), said
        assert f"{len(files) - 1} of {len(files) - 1} files good" in said.stdout
