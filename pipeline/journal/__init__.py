"""Which acts of a job are done, and whose the job is, so that it may be stopped anywhere and run again."""
