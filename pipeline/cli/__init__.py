"""The commands, one a file: they read arguments, call `pipeline.api`, print what `pipeline.report` says."""
