"""The works of a source: one for each recording, with what it is called and where it goes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.errors import CommandError, ExitCode
from pipeline.job.resume import is_another_call
from pipeline.model.manifest import Manifest, Origin
from pipeline.model.outputs import cut, safe
from pipeline.steps.folders import placed
from pipeline.steps.publish import FolderPlace

if TYPE_CHECKING:
    from pipeline.model.options import Options
    from pipeline.model.plan import Plan
    from pipeline.sources.protocol import Source
    from pipeline.steps.deliver import Target
    from pipeline.steps.find import Found
    from pipeline.steps.place import Limits, Place
    from pipeline.vendors.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Done:
    """What merge did with one recording.

    Attributes:
        place: the folder of its outputs, or the name of the store's prefix.
        already: everything was there from an earlier run.
    """

    place: str
    manifest: Manifest
    already: bool

    def exit_code(self, *, accept_loss: bool) -> ExitCode:
        """What it means for the command."""
        if any(not output.verdict.good for output in self.manifest.outputs):
            return ExitCode.VERIFICATION
        if self.manifest.refused:
            return ExitCode.USAGE
        return ExitCode.LOSSES if self.manifest.losses and not accept_loss else ExitCode.GOOD


@dataclass(frozen=True, slots=True)
class Work:
    """One recording to merge: where to, and a manifest that says what was asked for."""

    inventory: Inventory
    wanted: Manifest
    place: Place


def place_at(dest: Path | Target, *, journaled: bool = False) -> Place:
    """A folder or a prefix of a store as a place."""
    return FolderPlace(dest, journaled) if isinstance(dest, Path) else dest


def works_of(
    source: Source, found: Found, options: Options, dest: Path | Target, *, journaled: bool = False
) -> list[Work]:
    """What is to be made of each recording, and where; in folders too with a journal if ``journaled``.

    Raises:
        CommandError: names of a vendor would lie in the source, or an image of a composite has no file.
    """
    place = place_at(placed(source, dest, options), journaled=journaled)
    return [
        Work(inventory, _wanted(inventory, options), _place(place, inventory, found))
        for inventory in found.inventories
    ]


def mine(work: Work) -> Manifest | None:
    """The manifest in the place of a job, if it is the job's, whatever its inputs were."""
    found = work.place.manifest()
    return found if found and found.job == work.wanted.job else None


def refuse_another_call(work: Work, before: Manifest | None, plan: Plan, limits: Limits) -> None:
    """Keep a second call out of the place of the first one.

    Args:
        work: what is to be made.
        before: `mine`.
        plan: of what is to be made.
        limits: may let files be replaced.

    Raises:
        CommandError: what is there is of another call.
    """
    if before and not limits.overwrite and is_another_call(before, plan.outputs):
        raise CommandError(
            f"{work.place.name} has the files of another call that is named {before.recording.name} too:"
            " choose another place, one for each call."
        )


def _wanted(inventory: Inventory, options: Options) -> Manifest:
    """A manifest that says which work this is, and nothing yet of what came out."""
    recording = inventory.recording
    inputs = _with_props(inventory.inputs_sha256, options) if options.composes else inventory.inputs_sha256
    origin = Origin(recording.vendor, recording.prefix, recording.name, inputs)
    return Manifest(origin, options.as_text(), (), (), (), f"recpipe {__version__}")


def _with_props(inputs: str, options: Options) -> str:
    """The hash of a composite's inputs: the slices, and what its images and fonts hold."""
    from pipeline.layout.composite import ComposeOptions  # no merge needs it
    from pipeline.steps.props import contents, files_wanted

    if not isinstance(options, ComposeOptions):
        raise TypeError("these are no options of a composite")
    held = contents([*(path for _, path in files_wanted(options)), *options.fonts])
    return hashlib.sha256(f"{inputs} {held}".encode()).hexdigest() if held else inputs


def _place(place: Place, inventory: Inventory, found: Found) -> Place:
    """The outputs' place: DEST itself, or one folder each when there are several recordings."""
    if len(found.inventories) == 1:
        return place
    title = inventory.recording.title
    return place.below(cut(safe(title), title))
