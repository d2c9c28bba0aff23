"""A whole job: what comes out, what is told, and that it may be stopped anywhere and run again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import (
    CommandError,
    DeniedError,
    ExitCode,
    NoRecordingError,
    NoSpaceError,
    NotifyError,
    OwnedError,
)
from pipeline.job import run as running
from pipeline.job.merge import merge_all
from pipeline.job.run import run
from pipeline.job.shares import Known
from pipeline.job.spec_json import parse_job
from pipeline.job.tell import tell_done
from pipeline.journal.journal import folder_journal
from pipeline.model.manifest import FILE, Manifest, from_json
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps import clean as cleaning
from pipeline.steps import publish as publishing
from pipeline.steps.deliver import Target
from pipeline.steps.place import Limits
from pipeline.storage.below import Below
from pipeline.storage.open import open_store
from tests.cli.test_stores import keys, store
from tests.documents import ROOT
from tests.job.jobs import ENVIRON, SECRET, Told, document, ran
from tests.merge.merging import tree
from tests.notify.receiver import Says, receiver
from tests.servers.faults import DENIED, every, faulty
from tests.sources.stored import put_all
from tests.storage.servers import bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.storage.protocol import Store
    from tests.notify.receiver import Receiver
    from tests.servers.s3 import S3Server


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


def events(hook: Receiver) -> list[dict[str, Any]]:
    assert all(each.signed_by(SECRET.encode()) for each in hook.seen.deliveries)
    return [json.loads(each.body) for each in hook.seen.deliveries]


def recording(made: Callable[[str], Made], tmp_path: Path, name: str = "plain-agora") -> Path:
    """A copy that a test may change."""
    return shutil.copytree(made(name).place, tmp_path / "recording")


def manifest_of(place: Path) -> Manifest:
    return from_json((place / FILE).read_text("utf-8"))


def test_a_job_makes_what_a_merge_makes_tells_it_and_leaves_no_journal(
    made: Callable[[str], Made], tmp_path: Path, hook: Receiver
) -> None:
    place = made("plain-agora").place
    merge_all(Folder(place), tmp_path / "merged", Options(), Limits())
    (one,) = ran(document(place, tmp_path / "done", hook.url))
    assert one.error is None
    assert one.done
    assert not one.done.already
    assert tree(tmp_path / "done") == tree(tmp_path / "merged")
    (event,) = events(hook)
    assert event["summary"]["state"] == "done"
    assert event["summary"]["revision"] == 1
    assert event["summary"]["place"] == str(tmp_path / "done")
    assert {o["file"] for o in event["summary"]["outputs"]} == {o.file for o in one.done.manifest.outputs}


def test_the_same_job_again_does_nothing(made: Callable[[str], Made], tmp_path: Path, hook: Receiver) -> None:
    job = document(made("plain-agora").place, tmp_path / "done", hook.url)
    ran(job)
    before = tree(tmp_path / "done")
    (again,) = ran(job)
    assert again.done
    assert again.done.already
    assert tree(tmp_path / "done") == before
    assert len(events(hook)) == 1


def test_late_slices_make_a_new_revision_that_is_told_again(
    made: Callable[[str], Made], tmp_path: Path, hook: Receiver
) -> None:
    source = recording(made, tmp_path)
    late = max(source.rglob("*.ts"))
    data = late.read_bytes()
    late.unlink()
    job = document(source, tmp_path / "done", hook.url)
    (first,) = ran(job)
    assert first.done
    assert first.done.manifest.losses
    late.write_bytes(data)
    (second,) = ran(job)
    assert second.done
    assert (first.done.manifest.revision, second.done.manifest.revision) == (1, 2)
    assert not second.done.manifest.losses
    told = events(hook)
    assert [event["summary"]["state"] for event in told] == ["partial", "done"]
    assert [event["summary"]["revision"] for event in told] == [1, 2]
    assert len({event["id"] for event in told}) == 2
    merge_all(Folder(source), tmp_path / "merged", Options(), Limits())
    files = {name: data for name, data in tree(tmp_path / "done").items() if name != FILE}
    assert files == {name: data for name, data in tree(tmp_path / "merged").items() if name != FILE}


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another call in the room of ``plain-trtc``: TRTC's names have the room, and no task."""
    text = (ROOT / "fixtures" / "plain-trtc.toml").read_text("utf-8")
    return make(parse(text.replace("2026-03-02T", "2026-03-03T")), tmp_path_factory.mktemp("later")).place


@pytest.mark.parametrize("outputs", [{}, {"kind": "snapshot", "every": "5s"}], ids=["files", "pictures"])
def test_another_call_of_the_same_name_does_not_take_the_place_of_the_first(
    made: Callable[[str], Made], later: Path, tmp_path: Path, outputs: dict[str, Any]
) -> None:
    first, second = (
        document(source, tmp_path / "done", outputs=outputs) for source in (made("plain-trtc").place, later)
    )
    (one,) = ran(first)
    assert one.done
    before = tree(tmp_path / "done")
    (two,) = ran(second)
    assert isinstance(two.error, CommandError)
    assert "has the files of another call that is named" in str(two.error)
    assert tree(tmp_path / "done") == before
    (three,) = ran({**second, "limits": {**second["limits"], "overwrite": True}})
    assert three.done
    assert three.done.manifest.files.isdisjoint(one.done.manifest.files)
    assert set(tree(tmp_path / "done")) == three.done.manifest.files | {FILE}


def test_another_call_is_refused_before_others_are_asked_for_shares_of_it(
    made: Callable[[str], Made], later: Path, tmp_path: Path
) -> None:
    composite = {"kind": "compose", "composite": {"size": "320x180"}}
    first, second = (
        document(source, tmp_path / "done", outputs=composite, limits={"spread": "1s"})
        for source in (made("plain-trtc").place, later)
    )
    (one,) = ran(first)
    assert one.done
    in_a_queue = replace(Told().edges, known=Known(reached=True))
    (two,) = run(parse_job(json.dumps(second), "job.json", ROOT), in_a_queue)
    assert "has the files of another call that is named" in str(two.error)


def test_a_merge_does_not_put_another_call_in_the_place_of_the_first_either(
    made: Callable[[str], Made], later: Path, tmp_path: Path, swift_http: S3Server
) -> None:
    inside = open_store(settings(swift_http, bucket(swift_http)), environ(swift_http))
    for place in (tmp_path / "done", Target("vod:room", Below(inside, "room/"))):
        (one,) = merge_all(Folder(made("plain-trtc").place), place, Options(), Limits())
        with pytest.raises(CommandError, match="has the files of another call that is named"):
            merge_all(Folder(later), place, Options(), Limits())
        (again,) = merge_all(Folder(made("plain-trtc").place), place, Options(), Limits())
        assert again.already
        (other,) = merge_all(Folder(later), place, Options(), Limits(overwrite=True))
        assert other.manifest.files.isdisjoint(one.manifest.files)


def test_what_a_new_revision_no_longer_has_is_removed(made: Callable[[str], Made], tmp_path: Path) -> None:
    source = recording(made, tmp_path, "plain-trtc")
    job = document(source, tmp_path / "done")
    (first,) = ran(job)
    assert first.done
    gone = first.done.manifest.outputs[0]
    users = {output.uid for output in first.done.manifest.outputs}
    assert len(users) > 1
    from base64 import b64encode

    written = b64encode(gone.uid.encode()).decode().replace("=", ".").replace("/", "-")
    for path in [path for path in source.rglob("*") if f"_s_{written}_" in path.name]:
        path.unlink()
    (second,) = ran(job)
    assert second.done
    assert set(tree(tmp_path / "done")) == second.done.manifest.files | {FILE}
    assert gone.file not in second.done.manifest.files


def test_a_file_that_another_made_is_not_replaced(
    made: Callable[[str], Made], tmp_path: Path, hook: Receiver
) -> None:
    job = document(made("plain-agora").place, tmp_path / "done", hook.url)
    (one,) = ran(job)
    assert one.done
    shutil.rmtree(tmp_path / "done")
    (tmp_path / "done").mkdir()
    file = tmp_path / "done" / one.done.manifest.outputs[0].file
    file.write_bytes(b"mine")
    (refused,) = ran(job)
    assert isinstance(refused.error, CommandError)
    assert "exists and is not the result of this merge" in str(refused.error)
    assert tree(tmp_path / "done") == {file.name: b"mine"}
    assert [event["summary"]["state"] for event in events(hook)] == ["done", "failed"]
    (replaced,) = ran({**job, "limits": {**job["limits"], "overwrite": True}})
    assert replaced.done
    assert len(file.read_bytes()) > 4


def test_a_webhook_that_refuses_is_told_by_the_next_run(made: Callable[[str], Made], tmp_path: Path) -> None:
    with receiver(Says(403)) as hook:
        job = document(made("plain-agora").place, tmp_path / "done", hook.url)
        (one,) = ran(job)
        assert isinstance(one.error, NotifyError)
        assert one.error.exit_code is ExitCode.OUTPUT
        assert manifest_of(tmp_path / "done").outputs
        before = {
            name: data for name, data in tree(tmp_path / "done").items() if not name.startswith(".recpipe")
        }
        (two,) = ran(job)
        assert two.error is None
        assert tree(tmp_path / "done") == before
        first, second = events(hook)
        assert first == second
        (three,) = ran(job)
        assert three.done
        assert three.done.already
        assert len(events(hook)) == 2


def test_what_was_published_and_not_told_is_told_though_a_run_between_fails(
    made: Callable[[str], Made], tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = document(made("plain-agora").place, tmp_path / "done", hook.url)
    with receiver(Says(403)) as refusing:
        ran({**job, "notify": document("", "", refusing.url)["notify"]})

    def full(*_: object) -> None:
        raise NoSpaceError("the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "publish", full)
        (failed,) = ran(job)
    assert isinstance(failed.error, NoSpaceError)
    assert events(hook) == []
    (told,) = ran(job)
    assert told.done
    assert [event["summary"]["state"] for event in events(hook)] == ["done"]
    assert not (tmp_path / "done" / ".recpipe").exists()


def test_every_webhook_is_told_whatever_the_others_say(made: Callable[[str], Made], tmp_path: Path) -> None:
    with receiver(Says(410)) as gone, receiver() as good:
        job = document(made("plain-agora").place, tmp_path / "done", gone.url)
        job["notify"].append({"url": good.url, "secret_env": ["HOOK_SECRET"]})
        (one,) = ran(job)
        assert isinstance(one.error, NotifyError)
        assert [event["summary"]["state"] for event in events(good)] == ["done"]


def test_a_job_that_is_being_done_is_left_alone(
    made: Callable[[str], Made], tmp_path: Path, hook: Receiver
) -> None:
    source, place = made("plain-agora").place, tmp_path / "done"
    ((one),) = ran(document(source, tmp_path / "elsewhere"))
    assert one.done
    journal = folder_journal(place, one.done.manifest.job)
    (refused,) = ran(document(source, place, hook.url))
    assert isinstance(refused.error, OwnedError)
    assert events(hook) == []
    journal.close()
    (done,) = ran(document(source, place, hook.url))
    assert done.done


def test_a_source_without_a_recording_is_told(tmp_path: Path, hook: Receiver) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoRecordingError):
        ran(document(tmp_path / "empty", tmp_path / "done", hook.url))
    (event,) = events(hook)
    assert event["summary"]["state"] == "failed"
    assert event["summary"]["recording"] is None
    assert event["summary"]["failure"]["exit_code"] == 3


def test_one_recording_that_fails_does_not_end_the_others(
    made: Callable[[str], Made], tmp_path: Path, hook: Receiver
) -> None:
    source = tmp_path / "both"
    for name in ("plain-agora", "plain-trtc"):
        shutil.copytree(made(name).place, source / name)
    for path in (source / "plain-trtc").rglob("*.ts"):
        path.write_bytes(b"")
    told = sorted(ran(document(source, tmp_path / "done", hook.url)), key=lambda each: each.done is None)
    assert [each.error is None for each in told] == [True, False]
    assert sorted(event["summary"]["state"] for event in events(hook)) == ["done", "failed"]


class TestBetweenStores:
    """As `recpipe.toml` names them, over TLS."""

    @pytest.fixture
    def told(self, swift_tls: S3Server, tmp_path: Path) -> Told:
        ours, theirs = swift_tls.accounts[:2]
        self.calls, self.vod = bucket(swift_tls, ours), bucket(swift_tls, theirs)
        config = tmp_path / "recpipe.toml"
        config.write_text(store("calls", swift_tls, self.calls) + store("vod", swift_tls, self.vod))
        return Told(environ={**ENVIRON, **keys("calls", ours), **keys("vod", theirs)}, config=str(config))

    @pytest.fixture
    def source(self, told: Told, swift_tls: S3Server, made: Callable[[str], Made]) -> Store:  # noqa: ARG002 - makes the buckets
        """With a recording in it."""
        account = swift_tls.accounts[0]
        found = Below(open_store(settings(swift_tls, self.calls), environ(swift_tls, account)), "room/")
        put_all(made("plain-agora").place, found)
        return found

    @pytest.fixture
    def target(self, told: Told, swift_tls: S3Server) -> Store:  # noqa: ARG002 - as above
        account = swift_tls.accounts[1]
        return Below(open_store(settings(swift_tls, self.vod), environ(swift_tls, account)), "done/")

    def test_a_job_from_bucket_to_bucket(
        self,
        told: Told,
        source: Store,
        target: Store,
        made: Callable[[str], Made],
        tmp_path: Path,
        hook: Receiver,
    ) -> None:
        job = document("calls:room", "vod:done", hook.url)
        job["targets"][0] |= {"metadata": {"call": "7"}, "storage_class": ""}
        (one,) = ran(job, told)
        assert one.error is None
        merge_all(Folder(made("plain-agora").place), tmp_path / "merged", Options(), Limits())
        local = tree(tmp_path / "merged")
        assert {stat.key for stat in target.list("")} == set(local)
        assert all(target.get(name).data == data for name, data in local.items() if name != FILE)
        (again,) = ran(job, told)
        assert again.done
        assert again.done.already
        assert len(events(hook)) == 1
        assert {stat.key for stat in source.list("")}, "slices stay unless asked"

    def test_slices_are_removed_once_the_files_are_known_to_be_good(
        self, told: Told, source: Store, target: Store, hook: Receiver
    ) -> None:
        source.put("other.txt", b"not of the recording")
        job = document("calls:room", "vod:done", hook.url, delete_source="after-verify")
        (one,) = ran(job, told)
        assert one.done
        assert one.done.manifest.deletes_source
        assert [stat.key for stat in source.list("")] == ["other.txt"]
        assert {stat.key for stat in target.list("")} == one.done.manifest.files | {FILE}
        (again,) = ran(job, told)
        assert again.done
        assert again.done.already
        assert len(events(hook)) == 1

    def test_slices_are_removed_when_that_is_asked_for_later(
        self, told: Told, source: Store, hook: Receiver
    ) -> None:
        ran(document("calls:room", "vod:done", hook.url), told)
        assert list(source.list(""))
        (one,) = ran(document("calls:room", "vod:done", hook.url, delete_source="after-verify"), told)
        assert one.done
        assert (one.done.manifest.revision, one.done.manifest.deletes_source) == (1, True)
        assert list(source.list("")) == []
        assert len({event["id"] for event in events(hook)}) == 1

    @pytest.mark.parametrize("when", [0, 1, 5], ids=["before the first", "after one", "after five"])
    def test_a_job_that_was_stopped_while_it_removed_slices_only_goes_on_with_that(
        self,
        told: Told,
        source: Store,
        target: Store,
        hook: Receiver,
        monkeypatch: pytest.MonkeyPatch,
        when: int,
    ) -> None:
        def some(store: Store, etags: dict[str, str], check: Callable[[], None]) -> Iterator[str]:
            yield from removing(store, dict(list(etags.items())[:when]), check)
            raise DeniedError("no.")

        removing = cleaning.remove
        job = document("calls:room", "vod:done", hook.url, delete_source="after-verify")
        with monkeypatch.context() as patch:
            patch.setattr(cleaning, "remove", some)
            (one,) = ran(job, told)
        assert isinstance(one.error, DeniedError)
        made_first = {stat.key: stat.etag for stat in target.list("") if not stat.key.startswith(".")}
        (two,) = ran(job, told)
        assert two.done
        assert list(source.list("")) == []
        assert {stat.key: stat.etag for stat in target.list("")}.keys() == made_first.keys()
        assert all(target.stat(key).etag == etag for key, etag in made_first.items() if key != FILE)
        assert len({event["id"] for event in events(hook)}) == 1

    @pytest.fixture
    def half_removed(self, told: Told, source: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """A job that was stopped while it removed slices."""

        def some(store: Store, etags: dict[str, str], beat: Callable[[], None]) -> Iterator[str]:
            yield from removing(store, dict(list(etags.items())[:5]), beat)
            raise DeniedError("no.")

        removing = cleaning.remove
        job = document("calls:room", "vod:done", delete_source="after-verify")
        with monkeypatch.context() as patch:
            patch.setattr(cleaning, "remove", some)
            ran(job, told)
        assert list(source.list(""))
        return job

    def test_what_is_left_of_slices_is_not_waited_for(
        self, told: Told, source: Store, half_removed: dict[str, Any]
    ) -> None:
        limits = {**half_removed["limits"], "settle": "2m", "settle_limit": "6h"}
        told.sleep = lambda seconds: pytest.fail(f"it waits for {seconds} s")
        (one,) = ran({**half_removed, "limits": limits}, told)
        assert one.done
        assert list(source.list("")) == []

    def test_what_is_left_of_slices_stays_where_a_file_is_gone(
        self, told: Told, source: Store, target: Store, half_removed: dict[str, Any]
    ) -> None:
        before = list(source.list(""))
        target.delete(next(stat.key for stat in target.list("") if stat.key.endswith(".mp4")))
        (one,) = ran(half_removed, told)
        assert one.done
        assert list(source.list("")) == before
        assert "is gone" in told.sentences[-1]

    def test_slices_that_come_after_their_recording_was_removed_replace_nothing(
        self, told: Told, source: Store, target: Store, made: Callable[[str], Made]
    ) -> None:
        job = document("calls:room", "vod:done", delete_source="after-verify")
        ran(job, told)
        before = {stat.key: stat.etag for stat in target.list("")}
        place = made("plain-agora").place
        late = sorted(place.rglob("*"))[:4]
        for path in late:
            source.put(path.relative_to(place).as_posix(), path.read_bytes())
        (refused,) = ran(job, told)
        assert isinstance(refused.error, CommandError)
        assert "its slices were removed" in str(refused.error)
        assert {stat.key: stat.etag for stat in target.list("")} == before

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            pytest.param(
                {"selection": {"uids": ["101"]}}, "uids left something", id="one user was asked for"
            ),
            pytest.param({"outputs": {"tracks": "audio"}}, "tracks left something", id="sound was asked for"),
            pytest.param({"outputs": {"gaps": "drop"}}, "gaps left something", id="absences were left out"),
            pytest.param({"outputs": {"verify": "off"}}, "were not verified", id="nothing was verified"),
            pytest.param(
                {"outputs": {"kind": "compose", "composite": {"size": "64x36", "fps": 1}}},
                "compose left something",
                id="a composite was asked for",
            ),
        ],
    )
    def test_in_doubt_slices_stay(self, told: Told, source: Store, change: dict[str, Any], why: str) -> None:
        before = [stat.key for stat in source.list("")]
        (one,) = ran(document("calls:room", "vod:done", delete_source="after-verify", **change), told)
        assert one.done
        assert not one.done.manifest.deletes_source
        assert [stat.key for stat in source.list("")] == before
        assert [why in sentence for sentence in told.sentences] == [True]

    def test_slices_of_a_recording_with_losses_stay(self, told: Told, source: Store) -> None:
        lost = next(stat.key for stat in source.list("") if stat.key.endswith(".ts"))
        source.delete(lost)
        before = [stat.key for stat in source.list("")]
        (one,) = ran(document("calls:room", "vod:done", delete_source="after-verify"), told)
        assert one.done
        assert [stat.key for stat in source.list("")] == before
        assert "losses are in the ledger" in told.sentences[0]

    def test_a_slice_that_was_written_anew_meanwhile_stays(
        self, told: Told, source: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        anew = next(stat.key for stat in source.list("") if stat.key.endswith(".ts"))

        def meanwhile(manifest: Manifest, store: Store) -> str:
            source.put(anew, b"another")
            return right(manifest, store)

        right = cleaning.changed
        monkeypatch.setattr(cleaning, "changed", meanwhile)
        ran(document("calls:room", "vod:done", delete_source="after-verify"), told)
        assert [stat.key for stat in source.list("")] == [anew]
        assert told.sentences == [f"{anew} changed after it was listed and was left where it is."]

    def test_slices_stay_where_a_file_is_not_as_it_was_made(
        self, told: Told, source: Store, target: Store, hook: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = [stat.key for stat in source.list("")]

        def changing(*given: Any) -> None:
            file = next(stat.key for stat in target.list("") if stat.key.endswith(".mp4"))
            data = target.get(file).data
            target.put(file, data[:-1] + bytes([data[-1] ^ 1]))
            return telling(*given)

        telling = tell_done
        monkeypatch.setattr(running, "tell_done", changing)
        (one,) = ran(document("calls:room", "vod:done", hook.url, delete_source="after-verify"), told)
        assert one.done
        assert [stat.key for stat in source.list("")] == before
        assert "is not as it was made" in told.sentences[0]
        assert not from_json(target.get(FILE).data.decode()).deletes_source

    @pytest.mark.usefixtures("source")
    def test_what_is_wrong_is_told_at_once_and_all_of_it(
        self,
        told: Told,
        swift_tls: S3Server,
        tmp_path: Path,
        hook: Receiver,
    ) -> None:
        with faulty(swift_tls, every(1, DENIED)) as between:
            (tmp_path / "recpipe.toml").write_text(
                store("calls", between.server, self.calls) + store("vod", swift_tls, "nobodys-bucket")
            )
            del told.environ["HOOK_SECRET"]
            with pytest.raises(DeniedError) as error:
                ran(document("calls:room", "vod:done", hook.url), told)
        for part in ("s3://", "is refused (AccessDenied", "Besides, ", "nobodys-bucket", "HOOK_SECRET"):
            assert part in str(error.value)
