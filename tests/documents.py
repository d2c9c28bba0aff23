"""The documents: what the generated ones must say by the code, and how all of them are taken apart.

``python -m tests.documents --write`` writes the generated ones; ``tests/test_documents.py`` compares them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.app import COMMANDS, app
from pipeline.errors import MEANINGS, RecpipeError
from pipeline.job import spec_json
from pipeline.model import manifest
from pipeline.notify import event
from pipeline.report.inspected import VENDORS
from pipeline.storage.profiles import PROFILES, REFUSED
from pipeline.vendors.layouts import GENERAL, TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.layout.rules import Known
    from pipeline.layout.templates import Layout
    from pipeline.storage.profile import Profile

ROOT = Path(__file__).parents[1]
WIDTH = 100
MARGIN = 2  # columns that click leaves free of a terminal
GENERATED = "Written by `make docs`; do not edit."
RUN_AS = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(WIDTH), "PYTHONUTF8": "1"}
"""The environment of a command that a document shows."""
NOT_OURS = {"build", "dist", "demo-recording", "recpipe-demo", "node_modules"}


def markdown() -> list[Path]:
    """Every document, hidden folders left out."""
    found = {path: path.relative_to(ROOT).parts for path in ROOT.rglob("*.md")}
    return sorted(
        path for path, parts in found.items() if not any(p in NOT_OURS or p[0] == "." for p in parts)
    )


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of one kind in a document."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def manifest_schema() -> str:
    """The JSON Schema of manifest.json."""
    return json.dumps(manifest.schema(), indent=1, ensure_ascii=False) + "\n"


def event_schema() -> str:
    """The JSON Schema of an event."""
    return json.dumps(event.schema(), indent=1, ensure_ascii=False) + "\n"


def job_schema() -> str:
    """The JSON Schema of a job."""
    return json.dumps(spec_json.schema(), indent=1, ensure_ascii=False) + "\n"


def command_help() -> str:
    """The help of every command on a terminal of `WIDTH` columns."""
    whole = app.make_context("recpipe", [], resilient_parsing=True, terminal_width=WIDTH - MARGIN)
    parts = [f"# The commands\n\n{GENERATED}\n", _section("recpipe", whole.get_help())]
    for name in COMMANDS:
        command = app.get_command(whole, name)
        assert command is not None, name
        own = command.make_context(name, [], parent=whole, resilient_parsing=True)
        parts.append(_section(f"recpipe {name}", command.get_help(own)))
        for below in command.commands.values() if isinstance(command, click.Group) else ():
            of_it = below.make_context(below.name, [], parent=own, resilient_parsing=True)
            parts.append(_section(f"recpipe {name} {below.name}", below.get_help(of_it)))
    return "\n".join(parts)


def _section(name: str, text: str) -> str:
    return f"## {name}\n\n```text\n{text.strip()}\n```\n"


def exit_codes() -> str:
    """The table of exit codes, and of the errors behind them."""
    lines = [
        "# Exit codes",
        "",
        GENERATED,
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()),
        "",
        "## Errors",
        "",
        "Every error is one sentence on stderr. With `--json` it is also a document on stdout, with its",
        "`sentence`, its `exit_code`, and its class as `kind`. *Retryable* says that the same may succeed",
        "later.",
        "",
        "| error | exit code | retryable | what it is |",
        "|---|---|---|---|",
        *(_row(error) for error in errors()),
    ]
    return "\n".join(lines) + "\n"


def errors(root: type[RecpipeError] = RecpipeError) -> Iterator[type[RecpipeError]]:
    """The classes of the error tree below its root, each before those that refine it."""
    for error in root.__subclasses__():
        yield error
        yield from errors(error)


def _row(error: type[RecpipeError]) -> str:
    what = (error.__doc__ or "").strip().splitlines()[0]
    return f"| `{error.__name__}` | {int(error.exit_code)} | {'yes' if error.retryable else 'no'} | {what} |"


PROFILE_COLUMNS = (
    "profile",
    "store",
    "endpoint",
    "bucket stands in",
    "checksums",
    "many deletes",
    "parts",
    "conditional writes",
    "ETag is an MD5",
)
COS_FORM = "<name>-<APPID>"


def storage_profiles() -> str:
    """The table of store profiles, and what else there is to tell of them."""
    lines = [
        "# Store profiles",
        "",
        GENERATED,
        "",
        "A profile says how one kind of store wants to be spoken to. [Stores](storage.md) says which counts.",
        "The source of each fact is beside it in `pipeline/storage/profiles.py`.",
        "",
        f"| {' | '.join(PROFILE_COLUMNS)} |",
        f"|{'---|' * len(PROFILE_COLUMNS)}",
        *(_profile_row(profile) for profile in PROFILES.values()),
        "",
        "- *Checksums*: `when_supported` sends them behind the bytes, `when_required` sends none.",
        "- *Many deletes*: `batch` is DeleteObjects, `batch_md5` with Content-MD5, `single` one by one.",
        "- *Parts*: smallest and largest, and how many an upload may have; the last may be smaller.",
        "- *Conditional writes*: `*` never replaces (`If-None-Match`), `ETag` only this one (`If-Match`).",
        "- *ETag is an MD5*: whole: of an object put at once; parts: of their MD5s. Not under a KMS key.",
        "",
        "## Buckets",
        "",
        "| profile | a bucket is called | with dots |",
        "|---|---|---|",
        *(
            f"| `{p.name}` | {p.buckets.words.replace(COS_FORM, f'`{COS_FORM}`')} | {_dots(p)} |"
            for p in PROFILES.values()
        ),
        "",
        "## Notes",
        "",
        *(f"- `{p.name}`: {p.note}." for p in PROFILES.values() if p.note),
        *(f"- `{name}`: {sentence}." for name, sentence in REFUSED.items()),
    ]
    return "\n".join(lines) + "\n"


def _profile_row(profile: Profile) -> str:
    parts = profile.parts
    endpoint = profile.endpoint.replace("{region}", "REGION") or (
        "that of the region" if profile.knows_endpoint else "has to be given"
    )
    conditions = [word for word, has in (("`*`", profile.if_none_match), ("`ETag`", profile.if_match)) if has]
    etags = [word for word, has in (("whole", profile.md5_etags), ("parts", profile.md5s_etags)) if has]
    cells = (
        f"`{profile.name}`",
        profile.title,
        f"`{endpoint}`" if profile.endpoint else endpoint,
        "the host" if profile.addressing_style == "virtual" else "the path",
        f"`{profile.checksums}`",
        f"`{profile.deletes}`",
        f"{_bytes(parts.smallest)} to {_bytes(parts.largest)}, {parts.most:,}",
        ", ".join(conditions) or "none",
        ", ".join(etags) or "not certain",
    )
    return f"| {' | '.join(cells)} |"


def _bytes(size: int) -> str:
    units = ((30, "GiB"), (20, "MiB"), (10, "KiB"))
    return next(f"{size >> shift} {unit}" for shift, unit in units if size >> shift)


def _dots(profile: Profile) -> str:
    return "yes" if profile.path_style else "refused"


def layout_tables() -> str:
    """The tables of all layouts, each number with how well it is known."""
    lines = [
        "# Tables of layouts",
        "",
        GENERATED,
        "",
        "What each template puts where, as [Layouts](layouts.md) explains. Users include the large one,",
        "fractions are of the canvas. (doc): a page of the cloud says it; (inferred): it was concluded from",
        "pictures, samples or another cloud, and a scene that rests on it is *approximate*; (ours): our own",
        "choice. `recpipe compose --preview 1 --json` prints the page of each number.",
    ]
    for vendor, layouts in (("", GENERAL), *TEMPLATES.items()):
        lines += ["", f"## {VENDORS.get(vendor, 'Without a vendor')}"]
        for layout in layouts:
            lines += _layout(layout)
    return "\n".join(lines) + "\n"


def _layout(layout: Layout) -> list[str]:
    rules: list[Known[Any] | None] = [layout.limit, layout.size, layout.large, layout.alone, layout.mirrors]
    return [
        "",
        f"### {layout}",
        "",
        f"{layout.title}. {'; '.join(f'{r.what}: {r.text} ({r.mark})' for r in rules if r)}.",
        "",
        "| users | numbers | order |",
        "|---|---|---|",
        *(
            f"| {row.first}{f' to {row.last}' if row.last > row.first else ''} "
            f"| {', '.join(map(str, row.known))} | {row.order.value} ({row.order.mark}) |"
            for row in layout.rows
        ),
    ]


DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/manifest.schema.json": manifest_schema,
    "docs/event.schema.json": event_schema,
    "docs/job.schema.json": job_schema,
    "docs/cli.md": command_help,
    "docs/exit-codes.md": exit_codes,
    "docs/storage-profiles.md": storage_profiles,
    "docs/layout-tables.md": layout_tables,
}


def main(arguments: list[str]) -> int:
    """Write every document, or say how to."""
    if arguments != ["--write"]:
        sys.stderr.write("usage: python -m tests.documents --write\n")
        return 2
    for name, text in DOCUMENTS.items():
        (ROOT / name).write_text(text(), encoding="utf-8")
        sys.stdout.write(f"wrote {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
