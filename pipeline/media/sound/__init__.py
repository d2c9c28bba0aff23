"""Sound by its coding: what of copying depends on whether it is AAC or Opus, and nothing else.

`coding` says what every coding can be asked; each has a file of its own.
"""
