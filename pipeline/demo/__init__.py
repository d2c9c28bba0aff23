"""Realistic recordings with coded time, made from a scenario: for the demo, the tests and the benchmarks."""
