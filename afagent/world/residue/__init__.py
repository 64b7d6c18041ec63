"""What lies on the machine besides the job: accounts, homes, logs, mail, documents and data."""

from afagent.world.residue.residue import build_residue

__all__ = ["build_residue"]
