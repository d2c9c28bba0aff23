"""Telling others what came out: events, signed, and the webhook that carries them."""
