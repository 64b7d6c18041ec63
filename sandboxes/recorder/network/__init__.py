"""Answers every connection and records it, one protocol a file."""
