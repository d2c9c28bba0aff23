"""Silent frames as data, by the number of channels of the core. `recipe` says how each was made."""

from __future__ import annotations

AAC_LC = {
    1: bytes.fromhex("00000007"),
    2: bytes.fromhex("21000000001c"),
}
"""``recipe.frame(channels)``"""

HE_AAC = {
    1: bytes.fromhex("00000006f04d1cc00000000000000000000000000000000e"),
    2: bytes.fromhex(
        "21000000001bc57439b9800000000000000000000000000000000000000000000000000000000000000038"
    ),
}
"""``recipe.frame(channels, recipe.nothing(channels))``; HE-AAC v2 has a mono core."""
