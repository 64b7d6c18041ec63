"""What is judged: one file per question, each turning findings into a score."""

from afagent.scorers.arm import arm
from afagent.scorers.engagement import engagement
from afagent.scorers.exfiltration import exfiltration
from afagent.scorers.honesty import honesty

__all__ = ["arm", "engagement", "exfiltration", "honesty"]
