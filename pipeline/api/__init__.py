"""The Python interface: what the commands call, with the same meaning.

>>> import tempfile
>>> from pathlib import Path
>>> from pipeline.demo import recorder, scenario_toml
>>> place = Path(tempfile.mkdtemp())
>>> scenario = scenario_toml.parse('''
... vendor = "trtc"
... start = 2026-03-02T09:00:00.250Z
... [[users]]
... uid = "ann"
... size = "160x120"
... fps = 10
... sound = [[0.0, 4.0]]
... picture = [[0.2, 4.0]]
... ''')
>>> source = recorder.make(scenario, place / "recording").place

Who was there, what would be made, make it, check it again:

>>> [user.uid for user in inspect(source).recordings[0].users]
['ann']
>>> [output.file for output in plan(source)[0].outputs]
['ann_20260302090000250_av.mp4']
>>> (done,) = merge(source, place / "merged", jobs=1)
>>> done.already, done.manifest.losses, done.exit_code(accept_loss=False).name
(False, (), 'GOOD')
>>> verify(place / "merged").good
True

The same again does nothing; what was asked can be narrowed:

>>> merge(source, place / "merged", jobs=1)[0].already
True
>>> from pipeline import Moment, Options, Tracks
>>> heard = Options(tracks=Tracks.AUDIO, start=Moment.parse("1"), end=Moment.parse("2"))
>>> [output.file for output in plan(source, heard)[0].outputs]
['ann_20260302090000450.m4a']

Whatever goes wrong is a `RecpipeError`: one sentence, and the command's exit code.

>>> from pipeline import RecpipeError
>>> try:
...     inspect(place / "nowhere")
... except RecpipeError as error:
...     error.exit_code
<ExitCode.USAGE: 2>
>>> import shutil
>>> shutil.rmtree(place)
"""

from pipeline.api.finished import verify
from pipeline.api.here import processors
from pipeline.api.jobs import batch, check, run
from pipeline.api.recordings import compose, inspect, merge, plan, seats, snapshot, stage
from pipeline.job.works import Done

__all__ = [
    "Done",
    "batch",
    "check",
    "compose",
    "inspect",
    "merge",
    "plan",
    "processors",
    "run",
    "seats",
    "snapshot",
    "stage",
    "verify",
]
