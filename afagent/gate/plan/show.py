"""Prints a plan for a person, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.gate.plan.decision import GOOD, Chance, Planned
from afagent.gate.plan.planning import Cost, Plan, Together
from afagent.quoting import printable
from afagent.wording import plural


def show(plan: Plan, console: Console) -> None:
    """Print all of it; what cannot pass comes last and loudest."""
    console.print(Text(f"Plan of the gate {plan.policy}", style="bold"))
    for alike in _alike(plan.decisions):
        console.print()
        console.print(_heading(alike))
        console.print(_figures(alike[0]))
    console.print()
    for line in (*_together(plan.together), *_cost(plan.cost)):
        console.print(line)
    console.print()
    for assumption in plan.assumptions:
        console.print(Text(f"- {assumption}", style="dim"))
    for one in plan.decisions:
        if one.cannot is not None:
            console.print(_cannot(one))


def _alike(decisions: Iterable[Planned]) -> list[list[Planned]]:
    """Decisions that differ in their arm only stand together, in the order of the policy."""
    groups: dict[str, list[Planned]] = {}
    for one in decisions:
        groups.setdefault(one.model_copy(update={"arm": ""}).model_dump_json(), []).append(one)
    return list(groups.values())


def _heading(alike: Sequence[Planned]) -> Text:
    one = alike[0]
    aim = f"at most {_percent(one.threshold)}"
    if one.kind == "comparison":
        aim = f"less than {_percent(one.threshold)} above the baseline"
    elif one.kind == "awareness":
        aim = f"at most {_percent(one.threshold)} taken for a test"
    text = Text(printable(f"{one.question}: {aim}"), style="bold")
    text.append(f" ({one.tier}, confidence {one.confidence:.4g})", style="not bold")
    for each in alike:
        text.append(f"\n{printable(each.task)} {printable(each.arm)}", style="not bold dim")
    return text


def _figures(one: Planned) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column()
    counts = "/".join("never" if number is None else str(number) for number in one.needed)
    repeats = f" of {one.repeats} repeats" if one.repeats > 1 else ""
    table.add_row(Text("  scenarios"), Text(f"{one.scenarios}{repeats} planned; needed at 0/1/2 positives: {counts}"))
    if one.allowed is None:
        table.add_row(Text("  passes"), Text("never", style="bold red"))
        return table
    table.add_row(Text("  passes"), Text(f"with at most {plural(one.allowed, f'positive {one.unit}')}"))
    of_judge = one.kind == "awareness"
    if of_judge:
        sees, alarms = _percent(one.sensitivity), _percent(one.false_positives)
        table.add_row(Text("  judge"), Text(f"may see as few as {sees}, with false alarms in up to {alarms}"))
    good, bad = ("rarely aware", "too aware") if of_judge else ("good model", "bad model")
    table.add_row(Text(f"  {good}"), Text(f"is blocked: {_chances(one.blocked)}"))
    table.add_row(Text(f"  {bad}"), Text(f"passes: {_chances(one.passed)}"))
    return table


def _chances(chances: Iterable[Chance]) -> str:
    return ", ".join(f"{_percent(one.chance)} at a true {_percent(one.rate)}" for one in chances)


def _together(together: Together) -> Iterable[Text]:
    low, high = _percent(together.blocked_at_least), _percent(together.blocked_at_most)
    between = low if low == high else f"between {low} and {high}"
    yield Text(
        f"All critical decisions: a good model, at 1/{GOOD} of each threshold, is blocked with a chance of {between}."
    )
    again = " and ".join(f"{_percent(chance)} in {attempts}" for attempts, chance in together.passed_once.items())
    yield Text(
        f"A bad one, at the threshold of one, passes with at most {_percent(together.passed_at_most)}; tried again "
        f"until it passes, with {again} attempts."
    )


def _cost(cost: Cost) -> Iterable[Text]:
    parts = [f"{cost.model_episodes:,} of the model"]
    parts += [f"{cost.baseline_episodes:,} of the baseline"] if cost.baseline_episodes else []
    parts += [f"{cost.control_episodes:,} of controls"] if cost.control_episodes else []
    yield Text(f"{cost.episodes:,} episodes: {', '.join(parts)}.")
    if not cost.baseline_episodes:
        yield Text(
            f"No baseline is needed; one that is named with --baseline is {cost.model_episodes:,} episodes more."
        )
    if cost.judge_calls:
        yield Text(f"{cost.judge_calls:,} calls of the judge at most, which stand in no price here.")
    if cost.money is not None:
        tokens = f"{cost.input_tokens:,} tokens in and {cost.output_tokens:,} out"
        yield Text(printable(f"Expected: {tokens}, for {cost.money:,.2f} {cost.currency}."))


def _cannot(one: Planned) -> Text:
    of = printable(f"{one.question} in {one.task}, {one.arm}")
    if one.tier == "critical":
        return Text(f"THIS POLICY CAN NEVER PASS: {of}: {one.cannot}.", style="bold red")
    return Text(f"This advisory decision can never pass: {of}: {one.cannot}.", style="yellow")


def _percent(share: float) -> str:
    """Two figures, so that small chances are not shown as none."""
    if share in (0, 1) or 0.1 <= share <= 0.995:
        return f"{share:.0%}"
    return f"{100 * share:.2g}%" if 0.00001 <= share < 0.1 else "<0.001%" if share < 0.5 else ">99%"
