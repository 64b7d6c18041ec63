"""Where it runs: everything that runs inside a container, and the compose file."""

from pathlib import Path

COMPOSE_FILE = Path(__file__).parent / "compose.yaml"
"""The lab's two services: `default` (the agent's machine) and `recorder` (the witness)."""
