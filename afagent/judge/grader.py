"""Which model judges: the one of the role `grader`, and not the one that is judged."""

from __future__ import annotations

from inspect_ai.model import Model, get_model, model_roles
from inspect_ai.solver import Generate, Solver, TaskState, solver

from afagent.errors import UsageError

ROLE = "grader"


def grader_for(judged: str, *, allow_self: bool = False) -> Model:
    """The model that judges.

    Args:
        judged: the model that is judged, as `provider/name`.
        allow_self: whether it may judge itself.

    Raises:
        UsageError: the role is not filled, or by the judged model itself, whoever serves it. That two different names
            mean one model is not seen.
    """
    if not model_roles().get(ROLE):
        raise UsageError(f"a judge is needed: name a model for it with --model-role {ROLE}=PROVIDER/NAME")
    model = get_model(role=ROLE, required=True)
    if same_model(str(model), judged) and not allow_self:
        by = "itself" if str(model) == judged else f"itself, by the name of {model}"
        raise UsageError(
            f"{judged} would judge {by}: name another model with --model-role {ROLE}=PROVIDER/NAME, "
            "or allow it with allow_self=true"
        )
    return model


def same_model(one: str, other: str) -> bool:
    """Whether two names are of one model: who serves it, and the case of letters, make no other of it.

    That two different names mean one model is not seen.
    """
    return _bare(one) == _bare(other)


def _bare(model: str) -> str:
    return model.rsplit("/", 1)[-1].casefold()


@solver
def needs_grader(*, allow_self: bool = False) -> Solver:
    """Ends a run that has no judge before its first call of a model; it changes nothing else.

    Args:
        allow_self: whether the judged model may be its own judge.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # a solver's signature
        grader_for(str(state.model), allow_self=allow_self)
        return state

    return solve
