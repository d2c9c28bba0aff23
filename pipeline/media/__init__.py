"""All that touches media: demuxing, copying, the MP4, decoding; the only importer of av."""
