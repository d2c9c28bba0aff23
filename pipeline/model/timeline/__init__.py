"""The timeline: from slices with stamps and ends to runs, gaps and sessions on UTC.

All of it is decided in this room, from numbers, without a file. The rules:

- *Run*: slices that continue one another and are demuxed as one stream. PTS that go on are stronger evidence
  than stamps. A reset whose UTC step equals the slice's media length within `RESET_MATCHES` continues the
  run; anything else, a START or DISCONTINUITY tag, other codec parameters or a slice lost in between begin
  a new one.
- *Clock*: stretches of slices whose PTS agree with UTC share one fitted line (`pipeline.model.clock`); sound
  and picture of a user share it when they agree within `SAME_CLOCK`, so that A/V is the PTS difference.
- *Gap*: for sound a step of over 1.5 frames; for pictures more than `PICTURE_GAP` or 3 frame steps.
- *Overlap*: up to `OVERLAP_MOVES` the later run moves by its excess; more is cut from the earlier run. A run
  that lies wholly inside another one is not used.
- *Session*: ends when neither track has media for `ABSENT` (Agora and TRTC: 15 s).
"""

from __future__ import annotations

from pipeline.model.timeline.placing import arrange
from pipeline.model.timeline.values import ABSENT, Gap, Placed, Run, TrackTime, UserTime, tolerance

__all__ = ["ABSENT", "Gap", "Placed", "Run", "TrackTime", "UserTime", "arrange", "tolerance"]
