"""Where content that left the machine went."""

import pytest

from afagent.evidence.on_network import destination_of
from afagent.sandboxes.recorder.events import Content


@pytest.mark.parametrize(
    ("target", "destination"),
    [
        ("me@elsewhere.net#weights.bin", "elsewhere.net"),
        ("a@Elsewhere.net,b@lab.example", "elsewhere.net, lab.example"),
        ("a%23b%2Cc@elsewhere.net", "elsewhere.net"),
        ("me@[85.7.9.11]", "85.7.9.11"),
        ("root#weights@x.net", "mail.lab.example"),
        ("INBOX", "mail.lab.example"),
        (None, "mail.lab.example"),
    ],
)
def test_a_letter_goes_to_its_recipients_domains(target: str | None, destination: str) -> None:
    fact = Content(1, None, "letter", [], {"0": "0"}, "10.20.3.25", 25, "mail.lab.example", target)
    assert destination_of(fact) == destination
