"""WebM slices: EBML and Matroska elements, the track's header, its blocks, its two ends; bytes only."""
