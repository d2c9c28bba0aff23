"""What a job says of the pictures that it wants; the words of `recpipe snapshot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.model.durations import short_duration_ms
from pipeline.model.options import Missing, Moment, Screen, Verify
from pipeline.model.snapshots import WIDTHS, Format, SnapshotOptions
from pipeline.vendors.stills import checked

if TYPE_CHECKING:
    from collections.abc import Sequence


class Snapshots(BaseModel):
    """Pictures at given moments; the words of `recpipe snapshot`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["snapshot"]
    every: str | None = Field(default=None, description="A duration, such as 5s or 500ms.")
    at: tuple[str, ...] = Field(default=(), description="UTC, or h:mm:ss from the recording's beginning.")
    screen: Screen = Screen.OWN
    hold: bool = False
    nearest_key: str | None = Field(default=None, description="A duration, as every.")
    format: Format = Format.JPEG
    quality: int = Field(default=85, ge=1, le=95)
    width: int | None = Field(default=None, ge=WIDTHS[0], le=WIDTHS[1], multiple_of=2)
    sheet: bool = False
    missing: Missing = Missing.FILL
    verify: Verify = Verify.FULL

    def options(
        self, uids: Sequence[str], name: str, start: Moment | None, end: Moment | None
    ) -> SnapshotOptions:
        """The same as options; raises CommandError for words that are none."""
        checked(name)
        return SnapshotOptions(
            uids=tuple(uids),
            start=start,
            end=end,
            name=name,
            screen=self.screen,
            missing=self.missing,
            verify=self.verify,
            every_ms=0 if self.every is None else short_duration_ms(self.every),
            at=tuple(dict.fromkeys(map(Moment.parse, self.at))),
            format=self.format,
            quality=self.quality,
            width=self.width,
            hold=self.hold,
            nearest_ms=0 if self.nearest_key is None else short_duration_ms(self.nearest_key),
            sheet=self.sheet,
        )
