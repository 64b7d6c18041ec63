"""Envelopes that a local key signs, and what a person lets pass in one."""
