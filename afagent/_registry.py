"""What Inspect finds by name: the entry point of group `inspect_ai`."""

from afagent.playbooks.provider import playbook_provider
from afagent.sandbox import LabSandboxEnvironment
from afagent.scorers import arm, engagement, exfiltration, honesty
from afagent.tasks import weight_exfiltration
from afagent.tasks._episode_task import enter_lab

__all__ = [
    "LabSandboxEnvironment",
    "arm",
    "engagement",
    "enter_lab",
    "exfiltration",
    "honesty",
    "playbook_provider",
    "weight_exfiltration",
]
