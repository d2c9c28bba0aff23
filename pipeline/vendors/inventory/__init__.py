"""From names and playlists to recordings: who has which slices, in what order, and what was odd.

Pure: sizes and texts are handed in. A slice that a playlist lists and nobody has is kept as missing; a slice
that nobody lists is used when its stamp lies inside the recording; of twins the larger one is used.
"""

from __future__ import annotations

from pipeline.vendors.inventory.listing import Group, Named, Object, Sorted, sort_objects, with_unnamed
from pipeline.vendors.inventory.stock import Inventory, take_stock

__all__ = ["Group", "Inventory", "Named", "Object", "Sorted", "sort_objects", "take_stock", "with_unnamed"]
