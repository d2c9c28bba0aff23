"""Stills: the pictures that a run shows at given moments, decoded and upright.

The picture of a moment is the last one whose presentation is not later. No more is decoded than needed: from
the last key frame before a moment on, and further for the moments that follow before the next.
"""
