"""Sound decoded onto UTC, summed, limited, brought to a loudness and encoded.

Samples are float32 of shape (channels, count) at `RATE`, full scale 1.0. Everything is streamed in blocks of
a second; arithmetic on samples is numpy alone, codecs stay at both ends (`voice`, `encode`).
"""
