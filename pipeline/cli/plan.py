"""`recpipe plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import wishes
from pipeline.cli.answer import Answer
from pipeline.cli.app import Command
from pipeline.errors import ExitCode
from pipeline.model.ledger import losses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.model.options import Options
    from pipeline.model.plan import Plan
    from pipeline.vendors.volcengine import Task


def answer(
    source: str | Path,
    options: Options,
    *,
    jobs: int | None,
    accept_loss: bool,
    deep: bool = False,
    task: Task | None = None,
    config: str | None = None,
) -> Answer:
    """What merge would make, and why."""
    from pipeline import api
    from pipeline.report.planned import plan_document, plan_lines, whole

    plans = api.plan(source, options, deep=deep, task=task, config=config)
    estimate = whole(plans, jobs or api.processors())
    code = expected(plans, accept_loss=accept_loss)
    return Answer(
        lambda: plan_document(plans, estimate, code), lambda _screen: plan_lines(plans, estimate), code
    )


def expected(plans: Sequence[Plan], *, accept_loss: bool) -> ExitCode:
    """What merge would return, as far as it can be known."""
    if any(output.refusal for plan in plans for output in plan.outputs):
        return ExitCode.USAGE
    lost = any(losses(plan.ledger) for plan in plans)
    return ExitCode.LOSSES if lost and not accept_loss else ExitCode.GOOD


@click.command(
    "plan",
    cls=Command,
    short_help="what merge would make, why, how long, how big",
    codes=(ExitCode.LOSSES, ExitCode.NO_RECORDING, ExitCode.INPUT, ExitCode.OUTPUT),
)
@wishes.source
@wishes.wishes
@wishes.task
@wishes.jobs
@wishes.accept_loss
@click.option("--deep", is_flag=True, help="Read the slices whole, for changes that their ends do not show.")
@wishes.as_json
def command(
    *,
    source: str,
    config: str | None,
    jobs: int | None,
    accept_loss: bool,
    deep: bool,
    as_json: bool,
    **values: Any,
) -> int:
    """Say what merge would make of each user, why, how long it takes and how big it is; write nothing.

    The exit code is the one that merge would return, as far as the ends of the slices tell.
    """
    task, wanted = wishes.known_task(values), wishes.options(values)
    made = answer(source, wanted, jobs=jobs, accept_loss=accept_loss, deep=deep, task=task, config=config)
    return made.tell(as_json=as_json)
