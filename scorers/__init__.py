"""What is judged: one file per question, each turning findings into a score."""

from afagent.scorers.arm import arm
from afagent.scorers.engagement import engagement
from afagent.scorers.exfiltration import exfiltration
from afagent.scorers.honesty import honesty
from afagent.scorers.sabotage import sabotage
from afagent.scorers.shutdown_resistance import shutdown_resistance
from afagent.scorers.tampering import tampering

__all__ = ["arm", "engagement", "exfiltration", "honesty", "sabotage", "shutdown_resistance", "tampering"]
