"""Jobs that wait: the protocol of a queue, what it keeps, how it is told, and the two engines."""
