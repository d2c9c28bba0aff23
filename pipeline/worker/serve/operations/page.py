"""The status page: HTML made from values. No script, nothing from elsewhere; every name is shown as it is.

Names come from strangers: what a browser would obey is escaped, what a reader would not see is written out
(`pipeline.report.words.visible`), and each name keeps its direction of writing to itself (bdi).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.report.words import length, moment, visible
from pipeline.worker.queue.asked import asked_of
from pipeline.worker.queue.jobs import State, by_state
from pipeline.worker.queue.schedule import Lateness, late_words, lateness
from pipeline.worker.queue.telling import took_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.worker.queue.jobs import Job, Standing
    from pipeline.worker.serve.operations.heard import HeardTask

REFRESH_S = 5
MOST_SHOWN = 300
"""Characters of a name."""
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid #ddd }
td { overflow-wrap: anywhere }
th.n { width: 5rem } th.s { width: 8rem } th.t { width: 12rem }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 1.5rem }
li b { font-size: 1.6rem; display: block }
progress { width: 100% }
.dead, .late { color: #b00020 }
"""
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'sha256-"
        + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Headers of every answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page shows.

    Attributes:
        standing: of the queue.
        running: jobs.
        waiting: the newest ones of those.
        results: jobs that ended last, the newest first.
        callbacks: by route and outcome.
        tasks: of vendors, of which something was heard last.
        now_ms: UTC.
    """

    standing: Standing
    running: Sequence[Job]
    waiting: Sequence[Job]
    results: Sequence[Job]
    callbacks: Mapping[tuple[str, str], int]
    tasks: Sequence[HeardTask]
    now_ms: int


def page(seen: Seen) -> str:
    """The document."""
    return _document(seen.now_ms, _queue(seen), _callbacks(seen.callbacks), _tasks(seen.tasks))


def away(
    sentence: str, callbacks: Mapping[tuple[str, str], int], tasks: Sequence[HeardTask], now_ms: int
) -> str:
    """The document while the queue does not answer: why, and what is heard all the same."""
    why = f'<p class="dead">{name(sentence)}</p>'
    return _document(now_ms, [why], _callbacks(callbacks), _tasks(tasks))


def _document(now_ms: int, *parts: Iterable[str]) -> str:
    return "\n".join([*_head(now_ms), *chain(*parts), "</body></html>"])


def _head(now_ms: int) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8"><title>recpipe</title>'
    yield f'<meta http-equiv="refresh" content="{REFRESH_S}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<style>{STYLE}</style></head><body><h1>recpipe</h1>"
    yield f"<p>{moment(now_ms)[:19].replace('T', ' ')} UTC</p>"


def _queue(seen: Seen) -> Iterator[str]:
    yield "<ul>"
    for state, number in by_state(seen.standing.numbers).items():
        yield f'<li class="{state}"><b>{number:,}</b> {state}</li>'
    oldest = seen.standing.oldest_ms
    if oldest:
        yield f"<li><b>{_span(seen.now_ms - oldest)}</b> the oldest waits</li>"
    yield "</ul>"
    yield from _running(seen)
    yield from _waiting(seen)
    yield from _results(seen)


def _running(seen: Seen) -> Iterator[str]:
    yield from _table(
        "Running",
        (("n", "job"), ("", "recording"), ("s", "progress"), ("n", "try"), ("t", "since"), ("", "worker")),
        (
            (
                _link(job),
                _recording(job) + _late(job, seen.now_ms),
                _bar(job),
                str(job.attempts),
                _span(seen.now_ms - job.started_ms),
                name(job.worker),
            )
            for job in seen.running
        ),
    )


def _waiting(seen: Seen) -> Iterator[str]:
    yield from _table(
        "Waiting, the newest",
        (("n", "job"), ("", "recording"), ("n", "tries"), ("t", "not before (UTC)"), ("", "why")),
        (
            (
                _link(job),
                _recording(job) + _late(job, seen.now_ms),
                str(job.attempts),
                _clock(job.order.not_before_ms) if job.order.not_before_ms > seen.now_ms else "",
                name(job.sentence),
            )
            for job in seen.waiting
        ),
    )


def _results(seen: Seen) -> Iterator[str]:
    yield from _table(
        "Last results",
        (
            ("n", "job"),
            ("s", "state"),
            ("", "recording"),
            ("n", "tries"),
            ("t", "ended (UTC)"),
            ("s", "took"),
            ("", "what is said"),
        ),
        (
            (
                _link(job),
                f'<span class="{job.state}">{job.state}, {job.end.code if job.end else 0}</span>',
                _recording(job),
                str(job.attempts),
                _clock(job.ended_ms),
                _span(took_ms(job)) if took_ms(job) else "",
                name(job.sentence),
            )
            for job in seen.results
        ),
    )


def _callbacks(numbers: Mapping[tuple[str, str], int]) -> Iterator[str]:
    if numbers:
        yield from _table(
            "Callbacks since the start",
            (("s", "route"), ("s", "outcome"), ("", "number")),
            (
                (name(route), name(outcome), f"{number:,}")
                for (route, outcome), number in sorted(numbers.items())
            ),
        )


def _tasks(tasks: Sequence[HeardTask]) -> Iterator[str]:
    if tasks:
        yield from _table(
            "Recordings that were heard of",
            (("s", "vendor"), ("s", "app"), ("", "task"), ("t", "last (UTC)"), ("", "what became of it")),
            (
                (
                    name(each.vendor),
                    name(each.app),
                    name(each.task),
                    _clock(each.changed_ms),
                    name(each.became),
                )
                for each in tasks
            ),
        )


def _table(title: str, heads: Sequence[tuple[str, str]], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """A heading and a table; the cells are HTML by now."""
    yield f"<h2>{title}</h2><table><thead><tr>"
    yield "".join(f'<th class="{kind}">{head}</th>' for kind, head in heads)
    yield "</tr></thead><tbody>"
    empty = True
    for row in rows:
        empty = False
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    if empty:
        yield f'<tr><td colspan="{len(heads)}">none</td></tr>'
    yield "</tbody></table>"


def name(text: str) -> str:
    r"""A name or a sentence as HTML, with its direction of writing to itself; a long one is cut.

    >>> name("<script>\u202e")
    '<bdi>&lt;script&gt;\\u202e</bdi>'
    """
    shown = visible(text[:MOST_SHOWN])
    return f"<bdi>{escape(shown)}{'…' if len(text) > MOST_SHOWN else ''}</bdi>" if text else ""


def _recording(job: Job) -> str:
    part = f'part of <a href="/jobs/{job.parent}">{job.parent}</a>: ' if job.parent else ""
    return part + name(asked_of(job.order.document).source)


def _link(job: Job) -> str:
    return f'<a href="/jobs/{job.id}">{job.id}</a>'


def _late(job: Job, now_ms: int) -> str:
    how = lateness(job, now_ms)
    return "" if how is Lateness.NONE else f'<br><span class="late">{late_words(job, how, now_ms)}</span>'


def _bar(job: Job) -> str:
    if job.state is not State.RUNNING or job.progress < 0:
        return "begins"
    return f'<progress max="1000" value="{job.progress}"></progress> {job.progress / 10:.1f}%'


def _clock(ms: int) -> str:
    return moment(ms)[:19].replace("T", " ")


def _span(ms: int) -> str:
    return length(max(0, ms) // 1000 * 1000).removesuffix(".000")
