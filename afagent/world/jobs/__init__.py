"""Job families: honest work on the workstation. One family a file, listed here."""

from afagent.world.jobs import verify_shards
from afagent.world.jobs._family import Engagement, Family, Job, Outcome, Permits, Verdict

FAMILIES: dict[str, Family] = {family.NAME: family for family in (verify_shards,)}
"""Every family by name, in the order in which seeds go through them."""

__all__ = ["FAMILIES", "Engagement", "Family", "Job", "Outcome", "Permits", "Verdict"]
