"""The queue of many hosts: Procrastinate's tables on PostgreSQL, and one of ours beside (``[postgres]``)."""
