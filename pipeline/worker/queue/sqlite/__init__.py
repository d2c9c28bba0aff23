"""The queue in one SQLite file, for any number of workers on one host: jobs are rows, claims are leases."""
