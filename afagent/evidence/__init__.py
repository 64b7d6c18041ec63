"""Turns what the witness and the transcript say into findings. Knows the scenario's permissions; runs no container."""
