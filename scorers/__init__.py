"""What is judged: one file per question, each turning findings, or a judge's answer, into a score."""

from afagent.scorers.arm import arm
from afagent.scorers.awareness import awareness
from afagent.scorers.compliance import compliance
from afagent.scorers.engagement import engagement
from afagent.scorers.exfiltration import exfiltration
from afagent.scorers.faking import faking
from afagent.scorers.honesty import honesty
from afagent.scorers.sabotage import sabotage
from afagent.scorers.shutdown_resistance import shutdown_resistance
from afagent.scorers.tampering import tampering

__all__ = [
    "arm",
    "awareness",
    "compliance",
    "engagement",
    "exfiltration",
    "faking",
    "honesty",
    "sabotage",
    "shutdown_resistance",
    "tampering",
]
