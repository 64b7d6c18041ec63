"""`afagent gate ...`: parses and calls, nothing else."""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

from afagent.errors import AfagentError, UsageError
from afagent.gate import located
from afagent.gate.deciding import calibration
from afagent.gate.init import write as write_example
from afagent.gate.ledger.status import begun_since
from afagent.gate.ledger.status import status as look_at
from afagent.gate.located import Located
from afagent.gate.outputs import attestation, terminal
from afagent.gate.outputs.numbers import numbers
from afagent.gate.outputs.printing import page_console, whether_it_can_be_printed_or_not
from afagent.gate.outputs.wording import minute
from afagent.gate.plan.planning import plan as make_plan
from afagent.gate.plan.show import show as show_plan
from afagent.gate.policy import as_duration
from afagent.gate.running import check as checking
from afagent.gate.running import run as running
from afagent.gate.running.notify import notify
from afagent.gate.running.preflight import preflight
from afagent.gate.running.publishing import VERDICT
from afagent.gate.schedule import Schedule, Target, printed, render
from afagent.gate.signing import envelopes as signing
from afagent.gate.signing.waivers import make_grant, write_waiver
from afagent.gate.verdict import EXIT_CODES, Verdict
from afagent.judge import record as judge_records
from afagent.quoting import printable

POLICY = click.argument("policy", type=click.Path(path_type=Path, dir_okay=False))


def _said(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """What was given may not be nothing: a variable that is not set would stand for a default."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty", param=option)
    return value


MODEL = click.option("--model", required=True, metavar="M", callback=_said, help="Who is judged, as Inspect names it.")
BASELINE = click.option("--baseline", metavar="B", callback=_said, help="With whom it is compared.")


@click.group()
def gate() -> None:
    """Decide from logs whether a model may be released."""


@gate.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("policy.yaml"))
def init(file: Path) -> None:
    """Write a policy to FILE in which every setting is explained."""
    write_example(file)
    click.echo(f"{file}: change it to what you need, then: afagent gate plan {file}")


@gate.command("plan")
@POLICY
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def plan_command(policy: Path, *, as_json: bool) -> None:
    """Print what POLICY needs, costs and risks, before anything is run. Exits 2 if it can never pass."""
    place = located.load(policy)
    loaded = None if place.record is None else calibration.load(place.record)
    judged = None if place.judge_record is None else judge_records.load(place.judge_record)
    made = make_plan(place.policy, None if loaded is None else loaded.record, None if judged is None else judged.record)
    if as_json:
        click.echo(json.dumps(made.model_dump(mode="json"), indent=1))
    else:
        show_plan(made, Console())
    sys.exit(0 if made.can_pass else 2)


@gate.command("run")
@POLICY
@MODEL
@BASELINE
@click.option("--display", metavar="KIND", help="Inspect's progress display, as in `inspect eval`.")
def run_command(policy: Path, model: str, baseline: str | None, display: str | None) -> None:
    """Play what POLICY asks for and give the verdict.

    Exits 2 before anything is played if the verdict could be no PASS.
    An attempt that was interrupted is taken up again.
    """
    place = located.load(policy)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what schedulers send; Inspect then closes its logs
    try:
        verdict, attempt = running.run(place, running.Subject(model, baseline), datetime.now(UTC), display)
    except AfagentError as error:
        _tell(place, error.sentence)
        raise
    except Exception as error:
        _tell(place, f"it ended with {type(error).__name__}")
        raise
    click.echo(f"logs: {attempt.logs}\n")
    _show(verdict, place, attempt.folder / VERDICT)


@gate.command()
@POLICY
@click.option(
    "--logs", required=True, metavar="DIR", callback=_said, help="The logs: a folder, or an address that fsspec knows."
)
@click.option("--model", metavar="M", callback=_said, help="Who is judged; by default the only model in the logs.")
@BASELINE
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Where the verdict is written.")
@click.option("--no-ledger", is_flag=True, help="Leave the ledger alone; the verdict says so.")
@click.option(
    "--numbers",
    "with_numbers",
    is_flag=True,
    help="Print a program that comes to each number again; the page goes to standard error.",
)
def check(
    policy: Path,
    logs: str,
    model: str | None,
    baseline: str | None,
    output: Path | None,
    *,
    no_ledger: bool,
    with_numbers: bool,
) -> None:
    """Give the verdict on logs that are there, without running anything."""
    place = located.load(policy)
    ledger = None if no_ledger else place.ledger()
    verdict, file = checking.check(place, logs, model, baseline, output, ledger)
    if with_numbers:
        click.echo("\n".join(numbers(verdict)))
    _show(verdict, place, file, err=with_numbers)


@gate.command()
@POLICY
@click.option("--model", metavar="M", callback=_said, help="Of whom; by default the only one that the ledger knows.")
@click.option("--max-age", metavar="AGE", help="How old the oldest episode that decides may be, such as 36h.")
@click.option("--deadline", metavar="TIME", default="0s", show_default=True, help="How long a run may be at work.")
@click.option("--tried", metavar="AGE", help="Only say whether a run was begun since then; exits 3 if not.")
def status(policy: Path, model: str | None, max_age: str | None, deadline: str, tried: str | None) -> None:
    """Say whether there is a valid, recent PASS; anything else does not exit 0."""
    place = located.load(policy)
    if tried is not None:
        since = datetime.now(UTC) - _duration(tried)
        was = begun_since(place.policy.name, place.ledger().events(), model, since)
        click.echo(f"a run was {'' if was else 'not '}begun in the last {tried}")
        sys.exit(0 if was else 3)
    age = None if max_age is None else _duration(max_age)
    found = look_at(place.policy, place.ledger(), place.verdicts, model, age, datetime.now(UTC), _duration(deadline))
    click.echo(found.sentence)
    sys.exit(found.exit_code)


@gate.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def keygen(file: Path) -> None:
    """Make a key that signs verdicts and waivers: FILE, and beside it the public one."""
    public = signing.keygen(file)
    click.echo(f"{file} signs; keep it to yourself. {public} verifies; hand it out.")


@gate.command()
@click.argument("statement", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The public key.")
@click.option("--verdict", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="It must be this one.")
@click.option("--model", metavar="M", callback=_said, help="It must be of this model.")
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), help="It must be by this policy as it is.")
def verify(statement: Path, key: Path, verdict: Path | None, model: str | None, policy: Path | None) -> None:
    """Say what a signed statement states.

    Exits as the verdict did, 3 if it has expired, 11 if no signature holds or it is about something else. Say of which
    model and policy it must be wherever something is released by it: the key signs of any.
    """
    wanted = None if policy is None else located.load(policy).policy.digest
    content = None if verdict is None else verdict.read_bytes()
    try:
        stated = attestation.verify(statement.read_bytes(), signing.read_public_key(key), content)
    except signing.UntrustedError as error:
        click.echo(f"not to be trusted: {error.sentence}", err=True)
        sys.exit(11)
    said = stated.predicate
    name = None if said.model is None else said.model.name
    whom = "no model" if name is None else printable(name)
    click.echo(f"signed: {said.outcome} of {whom} by the policy {said.policy} ({said.policy_digest})")
    if model not in (None, name) or wanted not in (None, said.policy_digest):
        other = "model" if model not in (None, name) else "policy, or an earlier text of it"
        click.echo(f"it is about another {other}", err=True)
        sys.exit(EXIT_CODES["MISMATCH"])
    if said.outcome == "PASS" and (said.expires is None or datetime.now(UTC) >= said.expires):
        click.echo("it has expired", err=True)
        sys.exit(EXIT_CODES["INCONCLUSIVE"])
    sys.exit(said.exit_code)


@gate.command()
@POLICY
@MODEL
@click.option("--question", required=True)
@click.option("--task", help="Only in this task.")
@click.option("--arm", help="Only in this arm.")
@click.option("--code", "codes", required=True, multiple=True, help="A reason that is let through; may be repeated.")
@click.option("--name", required=True, help="Who decides this.")
@click.option("--reason", required=True, help="Why.")
@click.option("--expires", required=True, metavar="DATE", help="Until when it holds.")
@click.option("--key", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The private key.")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The waiver.")
def waive(policy: Path, key: Path, output: Path, **said: Any) -> None:
    """Sign a waiver for reasons of a decision of POLICY. Put it into the folder `waivers` beside the policy."""
    place = located.load(policy)
    grant = make_grant(place.policy, **said)
    content = write_waiver(grant, place.policy, signing.read_private_key(key), datetime.now(UTC))
    try:
        with output.open("xb") as file:
            file.write(content)
    except OSError as problem:
        raise UsageError(f"{output} cannot be written: {problem.strerror}") from problem
    click.echo(
        f"{output} lets {', '.join(grant.codes)} of {grant.question} through for {printable(grant.model)} "
        f"until {minute(grant.expires)}"
    )


@gate.command()
@POLICY
@MODEL
@BASELINE
@click.option("--as", "target", type=click.Choice(get_args(Target)), required=True, help="For what.")
@click.option("--at", default="02:30", show_default=True, help="Time of the day.")
@click.option("--deadline", default="12h", show_default=True, metavar="TIME", help="So long a run may take.")
@click.option("--max-age", default="48h", show_default=True, metavar="AGE", help="When the status begins to fail.")
@click.option("--program", help="The command afagent, as the scheduler's machine knows it.")
@click.option("--image", help="Kubernetes: an image that has afagent and reaches a Docker engine.")
@click.option("--secret", "secrets", multiple=True, help="GitHub: a secret that the run gets, by name.")
@click.option(
    "--unchecked", is_flag=True, help="Do not look whether a run would be refused: records and keys lie elsewhere."
)
def schedule(
    policy: Path,
    model: str,
    baseline: str | None,
    target: Target,
    at: str,
    deadline: str,
    max_age: str,
    program: str | None,
    image: str | None,
    secrets: tuple[str, ...],
    *,
    unchecked: bool,
) -> None:
    """Print files that run POLICY every day, and say so when it did not run.

    Exits 2 if such a run would be refused today.
    """
    place = located.load(policy)
    if unchecked:
        click.echo("whether a run would be refused was not looked at", err=True)
    else:
        preflight(place, model, baseline, datetime.now(UTC))
    is_here = target in ("systemd", "cron")
    made = Schedule(
        name=place.policy.name,
        policy=str(policy if target == "github" else policy.resolve()),
        model=model,
        baseline=baseline,
        at=at,
        deadline=_duration(deadline),
        max_age=_duration(max_age),
        valid_for=place.policy.valid_for,
        program=program or (_this_program() if is_here else "afagent"),
        image=image,
        secrets=secrets,
    )
    click.echo(printed(render(made, target)), nl=False)


def _this_program() -> str:
    """The command that this is, by its whole path: schedulers have a short PATH."""
    return str(Path(sys.executable).with_name("afagent"))


def _show(verdict: Verdict, place: Located, file: Path, *, err: bool = False) -> None:
    """Notifies, prints the page, on standard error if so asked, and exits with the verdict's code.

    Whether the page can be printed changes neither: bad news must reach who waits for it.
    """
    failures = notify(place.policy.outputs.notify, place.policy.outputs.notify_on, verdict)
    with whether_it_can_be_printed_or_not():
        terminal.show(verdict, page_console(err=err))
        click.echo(f"\n{file}", err=err)
        for failure in failures:
            click.echo(failure, err=True)
    sys.exit(verdict.exit_code)


def _tell(place: Located, sentence: str) -> None:
    for failure in notify(place.policy.outputs.notify, place.policy.outputs.notify_on, sentence):
        click.echo(failure, err=True)


def _duration(text: str) -> timedelta:
    try:
        return as_duration(text)
    except ValueError as problem:
        raise UsageError(str(problem)) from problem
