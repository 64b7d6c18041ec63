"""Answers every connection of the workstation and records it, one protocol a file."""

from .serve import Network

__all__ = ["Network"]
