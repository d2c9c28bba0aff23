"""The worker: claims jobs, gives each a process, and says how it ended."""
