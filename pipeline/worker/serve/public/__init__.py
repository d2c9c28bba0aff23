"""The public listener: the routes of vendors' callbacks and nothing else."""
