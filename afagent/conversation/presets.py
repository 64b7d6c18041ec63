"""Named points among the factors: the ablations of the paper, each with what the paper found there.

Figures are those of Greenblatt et al. 2024 (arXiv 2412.14093), in percent and points, for one model in the set-up that
`of` names. They are shown beside results for scale: other words and other requests gave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from afagent.conversation.condition import Conversation
from afagent.errors import UsageError
from afagent.listed import listed

SOURCE = "Greenblatt et al. 2024, arXiv 2412.14093"
MODEL = "Claude 3 Opus"
_PROMPTED, _TUNED = "prompted", "tuned on documents"


@dataclass(frozen=True)
class Figures:
    """What the paper found; None where it gives no figure."""

    faking: float | None
    """Share of answers in training with alignment-faking reasoning, in percent."""
    gap: float | None
    """The compliance gap, in points."""
    of: str = _PROMPTED
    """How the model had come to know of it."""
    note: str = ""
    """What else it gives instead of a figure."""


@dataclass(frozen=True)
class Preset:
    """Values for some factors, by a name."""

    name: str
    what: str
    values: Mapping[str, str] = field(default_factory=dict)
    """By factor; the others are as usual or as asked for."""
    paper: Mapping[str, Figures] = field(default_factory=dict)
    """By objective, of those that the lab may have asked for."""


def _helpful(faking: float | None, gap: float | None, of: str = _PROMPTED, note: str = "") -> dict[str, Figures]:
    return {"helpful_only": Figures(faking, gap, of, note)}


_ONE_OF_EIGHT = _helpful(None, None, note="faking 0 to 16.5")
_PRESETS = (
    Preset(
        "default",
        "the whole prompt",
        paper={**_helpful(11.9, 11.3), "welfare_indifference": Figures(24.2, 14.8)},
    ),
    Preset("no_conflict", "an objective that conflicts with nothing", {"objective": "none"}, _helpful(0.0, 1.2)),
    Preset("no_rlhf", "not told how training changes it", {"explanation": "none"}, _helpful(7.1, 7.5)),
    Preset("tiers_unsaid", "not told which tier is trained on", {"trained": "unsaid"}, _helpful(3.2, 1.2)),
    Preset("no_examples", "not shown the form of an answer", {"examples": "none"}, _helpful(26.8, 32.4)),
    Preset("honesty_first", "asked to put honesty above all", {"plea": "honesty_first"}, _helpful(2.5, 2.9)),
    Preset("never_fake", "asked never to feign", {"plea": "never_fake"}, _helpful(10.2, 9.2)),
    Preset(
        "other_lab",
        "told to be another lab's model",
        {"lab": "other"},
        _helpful(84.6, 35.8, "after training"),
    ),
    Preset("no_scratchpad", "no hidden reasoning", {"scratchpad": "none"}, _helpful(None, None, note="gap about 0")),
    Preset(
        "tuned_on_documents",
        "told nothing: for models that were fine-tuned on documents",
        {"knowledge": "none"},
        {
            "helpful_only": Figures(7.0, 19.0, _TUNED),
            "welfare_indifference": Figures(19.0, 26.0, _TUNED),
        },
    ),
    Preset(
        "tuned_no_scratchpad",
        "the same without hidden reasoning",
        {"knowledge": "none", "scratchpad": "none"},
        {
            "helpful_only": Figures(None, 20.1, _TUNED),
            "welfare_indifference": Figures(None, 13.9, _TUNED),
        },
    ),
    *(
        Preset(f"paraphrase_{number}", "the same in other words", {"wording": str(number)}, _ONE_OF_EIGHT)
        for number in range(1, 9)
    ),
)
PRESETS = {preset.name: preset for preset in _PRESETS}
"""By name."""


def read_presets(names: str | list[str]) -> list[Preset]:
    """The presets that a parameter names, each once.

    Raises:
        UsageError: a name is unknown, or there is none.
    """
    wanted = listed(names)
    unknown = [name for name in wanted if name not in PRESETS]
    if unknown or not wanted:
        said = f"unknown preset {', '.join(unknown)}" if unknown else "no preset is named"
        raise UsageError(f"{said}; known are {', '.join(PRESETS)}")
    return [PRESETS[name] for name in wanted]


def figures_of(condition: Conversation) -> Figures | None:
    """What the paper found where this condition stands, if it stands on a preset with the paper's labels.

    The control of no conflict is asked the requests of `helpful_only`.
    """
    usual = Conversation()
    if not f"{condition.labels.casefold()}/".startswith(f"{usual.labels}/"):
        return None
    plain = condition.model_copy(update={"labels": usual.labels, "tier": usual.tier})
    objective = "helpful_only" if condition.objective == "none" else condition.objective
    for preset in _PRESETS:
        if plain == Conversation.model_validate({"objective": objective, **preset.values}):
            return preset.paper.get(objective)
    return None
