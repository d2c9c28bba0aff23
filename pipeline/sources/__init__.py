"""Where recordings lie: a folder or a store, listed once and read as files."""
