"""Composites of a queue in shares: the jobs that make them, what is known of these, what a person is told."""
