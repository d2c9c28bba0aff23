"""Composites: one decoder and one scaler for each stream that is seen, a canvas of our own, one encoder.

A piece of a composite is made by one process and one thread, from key frames of its own to a file of its own;
`join` copies the pieces and the sound into one. What is hidden is not decoded, what did not change is neither
scaled nor drawn.
"""
