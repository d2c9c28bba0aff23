"""Bytes at rest: one small protocol, the places that keep it, and decorators that are places themselves."""
