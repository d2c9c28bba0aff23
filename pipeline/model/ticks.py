"""Time as integers: 90 kHz media ticks, UTC milliseconds, and the 33-bit counter of MPEG-TS.

Everything that is placed lives on one axis, *UTC ticks*: UTC milliseconds times 90. Floats appear only
where a person reads a number.
"""

from __future__ import annotations

from datetime import UTC, datetime

TICKS = 90_000
"""Ticks of one second: the system clock of PES time stamps (ISO/IEC 13818-1 2.4.3.7)."""

PER_MS = TICKS // 1000
WRAP = 1 << 33
"""PTS and DTS are 33-bit counters: they start again every 26.5 hours."""


def from_ms(ms: int) -> int:
    """UTC milliseconds as UTC ticks."""
    return ms * PER_MS


def from_us(us: int) -> int:
    """Microseconds as ticks, rounded down."""
    return us * 9 // 100


def to_ms(ticks: int) -> int:
    """Ticks as milliseconds, rounded half up.

    >>> to_ms(44), to_ms(45), to_ms(-45)
    (0, 1, 0)
    """
    return (2 * ticks + PER_MS) // (2 * PER_MS)


def forward(raw: int, start: int) -> int:
    """Ticks from ``start`` to ``raw``, two 33-bit counts less than half the range apart.

    >>> forward(100, WRAP - 100)
    200
    >>> forward(WRAP - 100, 100)
    -200
    """
    return (raw - start + WRAP // 2) % WRAP - WRAP // 2


def nearest(raw: int, expected: int) -> int:
    """The unwrapped count that lies nearest to ``expected`` among all that read ``raw`` in 33 bits.

    >>> nearest(5, WRAP * 3 + 7) == WRAP * 3 + 5
    True
    """
    return expected + forward(raw, expected % WRAP)


def samples_at(ticks: int, rate: int) -> int:
    """Sound samples (of ``rate`` per second) in ``ticks``, rounded half up.

    >>> samples_at(90_000, 48_000), samples_at(1, 48_000), samples_at(-90, 48_000)
    (48000, 1, -48)
    """
    return (2 * ticks * rate + TICKS) // (2 * TICKS)


def ticks_of(samples: int, rate: int) -> int:
    """Ticks of ``samples`` at ``rate`` per second, rounded half up.

    >>> ticks_of(1024, 48_000), ticks_of(1024, 44_100)
    (1920, 2090)
    """
    return (2 * samples * TICKS + rate) // (2 * rate)


def clock(utc_ticks: int) -> str:
    """UTC time of day for a person: ``11:30:22.488``.

    >>> clock(from_ms(1768908622488))
    '11:30:22.488'
    """
    ms = to_ms(utc_ticks)
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%H:%M:%S}.{ms % 1000:03d}"


def iso(utc_ticks: int) -> str:
    """UTC date and time in ISO 8601 with milliseconds.

    >>> iso(from_ms(1768908622488))
    '2026-01-20T11:30:22.488Z'
    """
    ms = to_ms(utc_ticks)
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def duration(ticks: int) -> str:
    """A length for a person: ``1:02:03.004`` or ``2:03.004``.

    >>> duration(from_ms(3723004)), duration(from_ms(123004))
    ('1:02:03.004', '2:03.004')
    """
    ms = to_ms(ticks)
    hours, minutes, seconds = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{seconds:02d}.{ms % 1000:03d}"
