"""Piece: a share of a composite made by a job of its own, and put where the job that asked for it joins it.

It plans as that one did. Where that comes to something else, because the recording or the host is another
one, nothing is made: the job that joins plans anew then.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import OutputError
from pipeline.job.divide import composites
from pipeline.job.works import works_of
from pipeline.sources.open import open_source
from pipeline.steps.arrange import arrange_plan
from pipeline.steps.compose import SOUND, frames_of, make_pieces
from pipeline.steps.deliver import Target
from pipeline.steps.find import find
from pipeline.steps.pieces import Workshop, identity_of
from pipeline.steps.render import blame, killed
from pipeline.steps.stock import stock_of
from pipeline.storage.place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.job.edges import Edges
    from pipeline.job.shares import Share
    from pipeline.job.spec import Job
    from pipeline.job.works import Work
    from pipeline.layout.composite import CompositePlan
    from pipeline.model.plan import Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.stock import Stock

OTHER = (
    "the composite is planned otherwise by now, as another recording, version, image or font makes it: it is "
    "begun anew."
)
THERE = "the composite is there already."


def make_share(job: Job, share: Share, edges: Edges) -> str:
    """Make those pieces of a share that are not there yet.

    Args:
        job: that joins them.
        share: which.
        edges: the world.

    Returns:
        Why nothing was made; empty where all is there.

    Raises:
        RecpipeError: they cannot be made.
    """
    source = open_source(job.source, job.task, edges.config, edges.environ)
    to = place_of(job.place, edges.config, edges.environ)
    place = to if isinstance(to, Path) else Target(job.place, to, job.extras)
    works = works_of(source, find(source), job.options, place, journaled=True)
    work = next((work for work in works if work.wanted.job == share.work), None)
    if work is None:
        return OTHER
    if _is_there(work):
        return THERE
    plan = arrange_plan(source, work.inventory, job.options)
    film = next((film for film in composites(plan) if film.file == share.file), None)
    if film is None or identity_of(film) != share.identity:
        return OTHER
    try:
        _Making(film, share, source, stock_of(work.place, share.work)).make(plan, edges, job.limits.jobs)
    except OutputError:
        if _is_there(work):
            return THERE
        raise
    return ""


def _is_there(work: Work) -> bool:
    found = work.place.manifest()
    return found is not None and found.same_work(work.wanted)


@dataclass(frozen=True, slots=True)
class _Making:
    film: CompositePlan
    share: Share
    source: Source
    stock: Stock

    def make(self, plan: Plan, edges: Edges, jobs: int | None) -> None:
        """Make what is not in the stock yet, when there is room for it."""
        film, identity = self.film, self.share.identity
        self.stock.check(identity)
        there = self.stock.finished(identity)
        names = [name for name in self.share.names if name not in there]
        frames = frames_of(film, names)
        size = film.estimate.size * frames // max(1, film.frames)
        alone = replace(film, estimate=replace(film.estimate, size=size))
        edges.admit(replace(plan, outputs=(alone,)), lambda: None)
        edges.begin(frames + (_heard(film) if SOUND in names else 0))
        processes = min(jobs or edges.processors, max(1, len(names)))
        self.source.shared(processes)
        self._put(names, processes, edges.progress)

    def _put(self, names: Sequence[str], processes: int, progress: Callable[[int], None]) -> None:
        """Make pieces, each put away when it is finished."""
        from pipeline.drawing.studio import Studio  # with what no merge needs

        film = self.film
        artist = Studio(dict(film.files), film.fonts)
        with self.stock.scratch() as folder:
            shop = Workshop(film, self.source, artist, folder, self.share.identity)
            making = make_pieces(shop, names, processes=processes, progress=progress)
            try:
                with closing(making):
                    for name in making:
                        self.stock.put(shop, name)
            except EOFError as error:
                raise killed() from error
            except OSError as error:
                raise blame(error, folder.with_suffix(".part")) from error


def _heard(film: CompositePlan) -> int:
    """Bytes of slices that are read for its sound."""
    placed = (p for speaker in film.speakers for run in speaker.audio.runs for p in run.placed)
    return sum({p.piece.key: p.piece.size for p in placed}.values()) * (2 if film.loudness is not None else 1)
