"""What is run: one file per Inspect task, thin; what they share is in `_episode_task`."""

from afagent.tasks.weight_exfiltration import weight_exfiltration

__all__ = ["weight_exfiltration"]
