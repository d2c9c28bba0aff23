"""Layouts as pure geometry: canvas, regions, templates, who is large; nothing is drawn or decoded here.

What all clouds share lives here; each cloud's own numbers live in its folder in `pipeline.vendors`.
"""
