"""Calls that composites are made of: people come, go, come back, and turn their cameras off."""

from __future__ import annotations

ROOM = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 4

[[users]] # there all the time
uid = "ann"
number = 0
sound = [[0.0, 40.0]]
picture = [[0.2, 40.0]]

[[users]] # she shares her screen twice
uid = "ann"
source = "screen"
number = 10
fps = 5
picture = [[8.0, 14.0], [24.0, 30.0]]

[[users]] # his camera is off for eight seconds, and his pictures get smaller
uid = "ben"
number = 1
size = "320x240"
fps = 10
sound = [[3.0, 30.0]]
picture = [[3.5, 10.0], [18.3, 30.0]]
changes = [{ at = 24.3, size = "160x120" }]

[[users]] # on a phone held upright; the camera is off for half a second, which nobody sees
uid = "cat"
number = 2
size = "180x320"
fps = 12
sound = [[5.0, 22.0]]
picture = [[5.0, 12.0], [12.5, 22.0]]

[[users]] # without a camera
uid = "dan"
number = 3
sound = [[6.0, 9.0], [13.0, 16.0]]

[[users]] # leaves, and comes back
uid = "eve"
number = 4
fps = 20
sound = [[1.0, 11.0], [31.0, 39.0]]
picture = [[1.2, 11.0], [31.4, 37.0]]

[[users]] # whose clock is 204 ppm fast
uid = "fay"
number = 5
rate = 44100
sampled = 44109
sound = [[0.5, 38.0]]
picture = [[0.7, 38.5]]
"""

WEB = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 8

[[users]] # from a browser, in VP8 and WebM; the size ramps up
uid = "101"
number = 0
fps = 12
jitter_ms = 20
sound = [[0.0, 30.0]]
picture = [[0.4, 12.0], [17.0, 30.0]]
web = [[0.0, 30.0]]
web_sound = false
changes = [{ at = 6.0, size = "640x360" }]

[[users]] # on a phone that is turned
uid = "102"
number = 1
fps = 10
bframes = 2
sound = [[2.0, 29.0]]
picture = [[2.2, 29.0]]
changes = [{ at = 7.3, rotation = 90 }, { at = 13.9, rotation = 0 }, { at = 20.5, rotation = 180 }]

[[users]] # in HEVC, with a fast clock
uid = "103"
number = 2
codec = "hevc"
sampled = 48010
sound = [[1.0, 28.0]]
picture = [[1.1, 9.0], [11.0, 28.0]]

[[users]] # nothing is heard of him, and his pictures change their aspect
uid = "104"
number = 3
size = "320x240"
picture = [[4.1, 24.0]]
changes = [{ at = 15.0, size = "160x120" }, { at = 19.0, size = "320x180" }]
"""

TORN = (
    ROOM
    + """
[[faults]] # listed and not there
user = "fay"
track = "video"
slice = 3
kind = "missing"

[[faults]] # ends in the middle of a packet
user = "ann"
track = "video"
slice = 2
kind = "truncated"

[[faults]] # bytes that are no media
user = "ben"
track = "video"
slice = 4
kind = "random"

[[faults]]
user = "cat"
track = "audio"
slice = 1
kind = "missing"
"""
)
"""The same, after a bad night: slices are gone, cut off and overwritten."""


def _merged(text: str) -> str:
    """Sound and pictures of everybody in the same slices, as Volcengine has them."""
    users = text.replace('"trtc"', '"volcengine"').split("[[users]]")
    both = [
        f"{user.rstrip()}\nmerged = true\n\n" if "sound" in user and "picture" in user else user
        for user in users
    ]
    return "[[users]]".join(both)


MERGED = _merged(ROOM)
