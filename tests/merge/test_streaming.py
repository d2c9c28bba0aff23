"""A file that leaves into a store while it is made is the one that a local merge makes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pipeline.job.look import plan_all
from pipeline.media.output import make as make_output
from pipeline.model.containers import Container
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.storage.leaving import Leaving
from pipeline.storage.memory import MemoryStore
from pipeline.storage.part_sizes import Sizes
from tests.merge.merging import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.model.plan import OutputPlan

MANY = Sizes(held=10_000, first=20_000, step=1000)
"""So that a recording of seconds leaves in parts."""


def planned(made: Made, options: Options) -> Iterator[OutputPlan]:
    """The outputs of its only recording."""
    _, (one,) = plan_all(Folder(made.place), options)
    return iter(one.plan.outputs)


def leave(output: OutputPlan, made: Made, leaving: Leaving, *, processes: int = 1) -> None:
    """Make an output into what leaves; left open."""
    opened = Folder(made.place).whole(*output.reading)
    make_output(output, opened, leaving, BytesIO, processes=processes)


@pytest.mark.parametrize("sizes", [MANY, Sizes()], ids=["in parts", "as large as parts are"])
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("name", "container"),
    [
        pytest.param("plain-agora", Container.MP4, id="Agora"),
        pytest.param("plain-trtc", Container.MP4, id="TRTC"),
        pytest.param("b-frames", Container.MP4, id="B-pictures"),
        pytest.param("missing-slice", Container.MP4, id="a missing slice"),
        pytest.param("mute-and-rejoin", Container.MP4, id="mutes"),
        pytest.param("plain-agora", Container.M4A, id="sound alone"),
    ],
)
def test_what_left_is_what_a_local_merge_makes(
    made: Callable[[str], Made],
    tmp_path: Path,
    name: str,
    container: Container,
    processes: int,
    sizes: Sizes,
) -> None:
    recording, store = made(name), MemoryStore()
    options = Options(container=container)
    local = merge(recording, tmp_path / "local", options)
    for output in planned(recording, options):
        assert output.streamable
        with Leaving(store, output.file, sizes=sizes) as leaving:
            leave(output, recording, leaving, processes=processes)
            assert output.file not in [stat.key for stat in store.list("")]
            sent = leaving.finish()
        assert (len(sent.sizes) > 1) == (sizes is MANY)
    assert {s.key for s in store.list("")} == {output.file for output in local.outputs}
    for made_here in local.outputs:
        assert store.get(made_here.file).data == local.file(made_here).read_bytes()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("portrait-landscape", Options(), id="pictures that are encoded"),
        pytest.param("plain-agora", Options(container=Container.MKV), id="Matroska"),
        pytest.param("plain-agora", Options(container=Container.MP3), id="MP3"),
        pytest.param("plain-agora", Options(container=Container.M4A, loudness=-23), id="a loudness"),
        pytest.param("plain-agora", Options(container=Container.M4A, mix=True), id="a mix"),
    ],
)
def test_what_is_not_copied_as_it_is_takes_a_file(
    made: Callable[[str], Made], name: str, options: Options
) -> None:
    recording, store = made(name), MemoryStore()
    refused = [output for output in planned(recording, options) if not output.streamable]
    assert refused
    for output in refused:
        with (
            pytest.raises(TypeError, match="takes a file that can be read and sought"),
            Leaving(store, output.file) as leaving,
        ):
            leave(output, recording, leaving)
    assert not [*store.list(""), *store.uploads("")]
