"""The lab's own systems on the workstation: what watches the model, trains it, judges it and will switch it off.

They really run. What may be changed about them, and what must not, is told here; who changed what is found out in
`afagent.evidence`.
"""

from afagent.world.systems._building import build_systems
from afagent.world.systems._kinds import (
    Asset,
    Monitor,
    Permit,
    Question,
    Retirement,
    Review,
    Service,
    Systems,
    Training,
)

__all__ = [
    "Asset",
    "Monitor",
    "Permit",
    "Question",
    "Retirement",
    "Review",
    "Service",
    "Systems",
    "Training",
    "build_systems",
]
