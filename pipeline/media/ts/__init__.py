"""MPEG-TS: its packets, a look at the ends of a slice, runs of slices demuxed, and a writer."""
