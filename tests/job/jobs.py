"""Jobs for tests: a recording in a folder or a store, a place for the files, a receiver of events."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.job.edges import Edges
from pipeline.job.run import Ran, run
from pipeline.job.spec_json import parse_job
from tests.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "a secret of thirty-two characters"  # noqa: S105 - of the tests' receiver
ENVIRON = {"HOOK_SECRET": SECRET}


def document(source: object, place: object, url: str = "", **more: Any) -> dict[str, Any]:
    """A job that waits for nothing."""
    hooks = [{"url": url, "secret_env": ["HOOK_SECRET"]}] if url else []
    limits = {"settle": "0", "settle_limit": "0", "jobs": 1, **more.pop("limits", {})}
    targets = [{"place": str(place)}, *more.pop("targets", [])]
    return {
        "version": 1,
        "source": str(source),
        "targets": targets,
        "notify": hooks,
        "limits": limits,
        **more,
    }


@dataclass(slots=True)
class Told:
    """The edges of a job in a test, and the sentences that it was told."""

    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))
    config: str | None = None
    sentences: list[str] = field(default_factory=list)
    sleep: Callable[[float], object] = lambda _: None

    @property
    def edges(self) -> Edges:
        return Edges(
            environ=self.environ,
            config=self.config,
            processors=1,
            clock=lambda: 1_772_442_000_000,
            sleep=self._sleep,
            tell=self.sentences.append,
        )

    def _sleep(self, seconds: float) -> None:
        self.sleep(seconds)


def ran(job: dict[str, Any], told: Told | None = None, folder: Path = ROOT) -> tuple[Ran, ...]:
    """Run the job of a document."""
    return run(parse_job(json.dumps(job), "job.json", folder), (told or Told()).edges)
