"""The queue and what came of it as Prometheus reads it (text format, version 0.0.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from pipeline.worker.queue.jobs import State
from pipeline.worker.serve.operations.watched import TIMES, cumulated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from pipeline.worker.queue.jobs import Standing
    from pipeline.worker.serve.operations.watched import Sums

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Told:
    """What the metrics tell.

    Attributes:
        standing: of the queue; None where it does not answer.
        sums: of what ended since the process began.
        callbacks: by route and outcome.
        inbox: events that are kept, and tasks that wait; None where there is no inbox.
        now_ms: UTC.
    """

    standing: Standing | None
    sums: Sums
    callbacks: Mapping[tuple[str, str], int]
    inbox: tuple[int, int] | None
    now_ms: int


def metrics_text(told: Told) -> bytes:
    """The whole page."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(told))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, told: Told) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        """One after another."""
        standing = self._told.standing
        yield GaugeMetricFamily("recpipe_queue_up", "Whether the queue answers.", value=standing is not None)
        if standing is not None:
            yield from self._queue(standing)
        yield from self._results()
        calls = CounterMetricFamily(
            "recpipe_callbacks", "Deliveries by route and what became of them.", labels=["route", "outcome"]
        )
        for (route, outcome), number in sorted(self._told.callbacks.items()):
            calls.add_metric([route, outcome], number)
        yield calls
        if self._told.inbox is not None:
            events, tasks = self._told.inbox
            yield GaugeMetricFamily("recpipe_events", "Events of vendors that are kept.", value=events)
            yield GaugeMetricFamily("recpipe_tasks_due", "Recordings that wait for a job.", value=tasks)

    def _queue(self, standing: Standing) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("recpipe_jobs", "Jobs in the queue.", labels=["state", "vendor"])
        numbers = {(state, ""): 0 for state in State} | dict(standing.numbers)
        for (state, vendor), number in sorted(numbers.items()):
            jobs.add_metric([str(state), vendor], number)
        yield jobs
        oldest = standing.oldest_ms
        yield GaugeMetricFamily(
            "recpipe_oldest_waiting_seconds",
            "For how long a job waits that could have begun; 0 where none does.",
            value=max(0, self._told.now_ms - oldest) / 1000 if oldest else 0,
        )

    def _results(self) -> Iterator[Metric]:
        sums = self._told.sums
        ended = CounterMetricFamily(
            "recpipe_jobs_ended", "Jobs that ended.", labels=["state", "exit_code", "vendor"]
        )
        for (state, code, vendor), number in sorted(sums.ended.items()):
            ended.add_metric([state, str(code), vendor], number)
        yield ended
        for name, what, by_vendor, each in (
            ("recpipe_retries", "Attempts after the first, of jobs that ended.", sums.retries, 1),
            ("recpipe_output_bytes", "Bytes of the files that were made.", sums.sizes, 1),
            ("recpipe_losses", "Losses that ledgers name.", sums.losses, 1),
            ("recpipe_lost_seconds", "Media that was lost.", sums.lost_ms, 1000),
            ("recpipe_media_seconds", "Recorded time that files were made of.", sums.media_ms, 1000),
            ("recpipe_work_seconds", "Time that making these files took.", sums.work_ms, 1000),
        ):
            family = CounterMetricFamily(name, what, labels=["vendor"])
            for vendor, number in sorted(by_vendor.items()):
                family.add_metric([vendor], number / each)
            yield family
        bounds = [*(str(float(most)) for most in TIMES), "+Inf"]
        yield HistogramMetricFamily(
            "recpipe_times_real_time",
            "How many times faster than its recording a job was.",
            buckets=list(zip(bounds, cumulated(sums.times), strict=True)),
            sum_value=sums.times_in_all,
        )
