"""The deferred worker: jobs that wait in a queue, the engines that keep them, the loop that does them."""
