"""Answers every connection of the workstation and records it, one protocol a file; `serve` is the whole of it."""
