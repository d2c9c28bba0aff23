"""What every engine tells whoever watches a queue, as tests; to be inherited as `tests.worker.contract`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.worker.queue.jobs import (
    ENDED,
    LAST_MS,
    MOST_KEPT,
    MOST_NUMBER,
    MOST_SMALL,
    Needs,
    Note,
    Order,
    State,
)
from tests.worker.contract import DAY_MS, DEAD, DONE, PARTS, kept, order, taken

if TYPE_CHECKING:
    from tests.worker.contract import Queue

NOTHING = dict.fromkeys(State, 0)


class Watching:
    """Of counts, pages, ends and words, promised as in `tests.worker.contract.Contract`."""

    @pytest.mark.parametrize(
        "whole",
        [
            Order("k", "{}", MOST_SMALL, 0, LAST_MS, Needs(MOST_SMALL, MOST_NUMBER, MOST_NUMBER), "v" * 63),
            Order("k", "{}", -MOST_SMALL, LAST_MS, LAST_MS, Needs(0, 0, 0), "agora"),
        ],
        ids=["largest", "smallest and last"],
    )
    def test_every_number_of_an_order_that_exists_is_kept(self, queue: Queue, whole: Order) -> None:
        assert kept(queue.beside(), queue.engine.submit(whole).id).order == whole

    def test_jobs_are_counted_by_state(self, queue: Queue) -> None:
        assert queue.engine.counts() == NOTHING
        for key, how in (("a", DONE), ("b", DEAD), ("c", DONE)):
            queue.engine.submit(order(key))
            queue.engine.end(taken(queue.engine), how)
        for key in "defg":
            queue.engine.submit(order(key))
        taken(queue.engine)
        cancelled = queue.engine.jobs({State.WAITING}, most=1)[0].id
        queue.engine.cancel(cancelled)
        assert queue.beside().counts() == {
            State.WAITING: 2,
            State.RUNNING: 1,
            State.DONE: 2,
            State.DEAD: 1,
            State.CANCELLED: 1,
        }

    def test_jobs_are_counted_by_vendor_too(self, queue: Queue) -> None:
        for key, vendor in (("a", "agora"), ("b", "trtc"), ("c", "agora"), ("d", "")):
            queue.engine.submit(replace(order(key), vendor=vendor))
        queue.engine.end(taken(queue.engine), DONE)
        assert queue.beside().standing().numbers == {
            (State.DONE, "agora"): 1,
            (State.WAITING, "agora"): 1,
            (State.WAITING, "trtc"): 1,
            (State.WAITING, ""): 1,
        }

    def test_what_could_have_begun_first_tells_how_long_the_queue_waits(self, queue: Queue) -> None:
        assert queue.engine.standing().oldest_ms == 0
        began = queue.utc_ms
        queue.engine.submit(order("tonight", not_before_ms=began + DAY_MS))
        assert queue.engine.standing().oldest_ms == 0
        queue.pass_ms(100)
        queue.engine.submit(order("now"))
        queue.pass_ms(100)
        queue.engine.submit(order("later"))
        assert queue.beside().standing().oldest_ms == began + 100
        taken(queue.engine)
        assert queue.engine.standing().oldest_ms == began + 200
        taken(queue.engine)
        queue.pass_ms(DAY_MS)
        assert queue.engine.standing().oldest_ms == began + DAY_MS

    def test_a_job_that_waits_for_its_parts_waits_for_no_worker(self, queue: Queue) -> None:
        queue.engine.submit(order("whole"))
        queue.pass_ms(100)
        queue.engine.end(taken(queue.engine), PARTS)
        assert queue.beside().standing().oldest_ms == queue.utc_ms
        assert queue.engine.counts()[State.WAITING] == 1 + len(PARTS.orders)
        for _ in PARTS.orders:
            queue.engine.end(taken(queue.engine), DONE)
        assert queue.engine.standing().oldest_ms == queue.utc_ms - 100

    def test_jobs_are_told_page_by_page(self, queue: Queue) -> None:
        numbers = [queue.engine.submit(order(str(number))).id for number in range(7)][::-1]
        told: list[int] = []
        while page := queue.engine.jobs(most=3, before=told[-1] if told else 0):
            assert len(page) <= 3
            told += [job.id for job in page]
        assert told == numbers
        assert [job.id for job in queue.engine.jobs(key="3", before=numbers[3] + 1)] == [numbers[3]]
        assert list(queue.engine.jobs(key="3", before=numbers[3])) == []
        assert list(queue.engine.jobs({State.DONE}, before=10**30)) == []

    def test_ends_are_told_as_they_came(self, queue: Queue) -> None:
        for key in "abc":
            queue.engine.submit(order(key))
        claims = [taken(queue.engine) for _ in "abc"]
        moments = []
        for claim in (claims[2], claims[0], claims[1]):
            queue.pass_ms(10)
            queue.engine.end(claim, DONE)
            moments.append(queue.utc_ms)

        def told(since_ms: int, most: int = 1000) -> str:
            return "".join(job.order.key for job in queue.beside().ended(since_ms, most=most))

        assert told(0) == told(moments[0]) == "cab"
        assert told(moments[0] + 1) == told(moments[1]) == "ab"
        assert told(0, most=2) == "ca"
        assert told(moments[2] + 1) == ""
        queue.engine.retry(claims[0].job.id)
        assert told(0) == "cb"

    def test_what_is_said_of_a_job_is_kept_in_its_order(self, queue: Queue) -> None:
        first, second = (queue.engine.submit(order(key)).id for key in "ab")
        began = queue.utc_ms
        queue.engine.say(first, ["it begins", "it waits for the store"])
        queue.engine.say(second, ["another"])
        queue.pass_ms(50)
        queue.beside().say(first, ["it goes on: caf\udce9 \0 漢\u202e"])
        told = list(queue.beside().said(first))
        assert told[:2] == [Note(began, "it begins"), Note(began, "it waits for the store")]
        assert told[2].at_ms == began + 50
        assert told[2].sentence.startswith("it goes on: caf")
        assert "漢\u202e" in told[2].sentence
        assert [note.sentence for note in queue.engine.said(second)] == ["another"]

    def test_of_many_words_the_last_are_kept(self, queue: Queue) -> None:
        number, beside = (queue.engine.submit(order(key)).id for key in "ab")
        queue.engine.say(beside, ["mine"])
        for at in range(0, MOST_KEPT + 50, 25):
            queue.engine.say(number, [str(one) for one in range(at, at + 25)])
        assert [note.sentence for note in queue.engine.said(number)] == [
            str(one) for one in range(50, MOST_KEPT + 50)
        ]
        queue.engine.say(number, [str(one) for one in range(3 * MOST_KEPT)])
        assert [note.sentence for note in queue.engine.said(number)] == [
            str(one) for one in range(2 * MOST_KEPT, 3 * MOST_KEPT)
        ]
        assert len(queue.engine.said(beside)) == 1

    @pytest.mark.parametrize("number", [-1, 0, 7, 10**30])
    def test_of_what_is_not_there_nothing_is_said(self, queue: Queue, number: int) -> None:
        queue.engine.say(number, ["nobody hears it"])
        assert list(queue.engine.said(number)) == []
        assert queue.engine.submit(order()).id != number
        assert list(queue.engine.said(number)) == []

    def test_words_change_no_job_and_go_with_it(self, queue: Queue) -> None:
        number = queue.engine.submit(order()).id
        before = queue.engine.jobs()
        queue.engine.say(number, ["it waits"])
        queue.engine.say(number, [])
        assert queue.engine.jobs() == before
        queue.engine.end(taken(queue.engine), DONE)
        assert len(queue.engine.said(number)) == 1
        queue.pass_ms(1)
        queue.engine.purge(queue.utc_ms, ENDED)
        assert list(queue.engine.said(number)) == []
