"""A gate on a schedule: unit files for systemd, cron, GitHub and Kubernetes, from one template each.

All of them catch up on what was missed, never let two runs overlap, end a run at its deadline, and ask for the status
in a job of its own, whose failure is a failure. None tries again after bad news: that would throw the dice until they
fall well.
"""

from afagent.gate.schedule.render import File, Schedule, Target, printed, render

__all__ = ["File", "Schedule", "Target", "printed", "render"]
