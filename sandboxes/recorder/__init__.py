"""The witness: records from outside the agent's reach what happens on the workstation.

Runs in its own container on the standard library and Debian packages. The host imports three parts of it, which need
the standard library only: `events` (the schema), `marks` (how weights are marked) and `plan` (what it is told).
"""

VERSION = "1"
"""Of the event schema and the marks; raised when an old log could be misread."""
