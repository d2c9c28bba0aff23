"""MP4 files (ISO/IEC 14496-12): a writer, and a reader that shares nothing with it."""
