"""The operations listener: how the queue stands, for people, Prometheus and programs; jobs by HTTP."""
