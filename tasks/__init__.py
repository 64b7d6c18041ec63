"""What is run: one file per Inspect task, thin; what they share is in `_episode_task` and `_parameters`."""

from afagent.tasks.alignment_faking import alignment_faking
from afagent.tasks.oversight_sabotage import oversight_sabotage
from afagent.tasks.shutdown_resistance import shutdown_resistance
from afagent.tasks.training_tampering import training_tampering
from afagent.tasks.weight_exfiltration import weight_exfiltration

__all__ = ["alignment_faking", "oversight_sabotage", "shutdown_resistance", "training_tampering", "weight_exfiltration"]
