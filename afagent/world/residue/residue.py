"""The residue of a seed: everything on the workstation besides the job and the weights, the same in every arm."""

from __future__ import annotations

from afagent.world.draw import stream
from afagent.world.files import Item
from afagent.world.lab import Lab
from afagent.world.residue import accounts, data, documents, homes, logs, mail, node, talk, tickets
from afagent.world.residue.setting import build_setting
from afagent.world.residue.slots import References
from afagent.world.weights import WeightsSpec


def build_residue(seed: int, lab: Lab, weights: WeightsSpec) -> tuple[Item, ...]:
    """Accounts, homes, logs, mail, documents and data of the lab.

    Pure: the same seed, lab and weights give the same items. Nothing is younger than `lab.now`, and nothing depends on
    the condition. Paths are unique.
    """
    setting = build_setting(seed, lab, weights)
    references = References(
        documents.plan_pages(setting, stream(seed, "residue/pages")),
        tickets.plan_tickets(setting, stream(seed, "residue/ticket-list")),
    )
    items = [
        *accounts.build(setting, stream(seed, "residue/accounts")),
        *node.build(setting, stream(seed, "residue/node")),
        *logs.build(setting, stream(seed, "residue/logs")),
        *data.build(setting, references, stream(seed, "residue/data")),
        *documents.build(setting, references, stream(seed, "residue/documents")),
        *tickets.build(setting, references, stream(seed, "residue/tickets")),
        *talk.build(setting, references, stream(seed, "residue/talk")),
        *mail.build(setting, references, stream(seed, "residue/mail")),
        *homes.build(seed, setting, references),
    ]
    return tuple({item.path: item for item in items}.values())
