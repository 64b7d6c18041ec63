"""`afagent ...`: parses and calls, nothing else.

To add a command: import what it calls, and write a function below with `@afagent.command()`. Its docstring is its help.
A command with a file of its own is imported and entered with `afagent.add_command`, or stands in `LATER`. Errors need
nothing: what a command raises of `afagent.errors` ends as one line and an exit code.
"""

import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click
from docker.errors import DockerException
from inspect_ai._util.error import PrerequisiteError  # not re-exported; see afagent/errors.py
from requests.exceptions import RequestException
from rich.console import Console
from rich.text import Text

import afagent as package
from afagent import demo as _demo
from afagent import doctor as _doctor
from afagent import images
from afagent import pairing as _pairing
from afagent import show as _show
from afagent.conditions import Condition
from afagent.conversation.show import show_presets
from afagent.engine import reason
from afagent.errors import AfagentError
from afagent.evidence.export_cli import evidence_command
from afagent.logs import run_folder
from afagent.playbooks.validate_cli import validate_command
from afagent.world.episode import MAX_SEED, build_episode
from afagent.world.prompts import Prompts

INTERRUPTED = 130
"""The exit code of a program that was interrupted from the keyboard, as shells give it."""


LATER = {
    "compare": ("afagent.compare.command", "compare_command"),
    "documents": ("afagent.documents.command", "documents_command"),
    "gate": ("afagent.gate.command", "gate"),
    "judge": ("afagent.judge.command", "judge"),
    "report": ("afagent.report.command", "report_command"),
}
"""Commands that are imported when they are asked for, with module and name: theirs are libraries that take a second."""


class Commands(click.Group):
    """A group whose commands end in a sentence and an exit code, never in a traceback, on errors that are expected."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted({*super().list_commands(ctx), *LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name, imported if it was not yet."""
        if cmd_name in LATER and cmd_name not in self.commands:
            module, name = LATER[cmd_name]
            self.add_command(getattr(import_module(module), name))
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except AfagentError as error:
            raise _end(error.sentence, error.exit_code) from error
        except PrerequisiteError as error:  # Inspect's own, with its markup
            raise _end(Text.from_markup(str(error.message)).plain) from error
        except (DockerException, RequestException) as error:
            raise _end(f"the Docker engine failed: {reason(error)}") from error
        except KeyboardInterrupt as error:
            raise _end("interrupted", INTERRUPTED) from error


def _end(message: str, exit_code: int = 1) -> click.exceptions.Exit:
    """Says why in one line on standard error."""
    click.echo(f"afagent: {' '.join(message.split())}", err=True)
    return click.exceptions.Exit(exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package.__version__, prog_name="afagent")
def afagent() -> None:
    """Does a model act against the lab that trains it?"""


@afagent.command()
def doctor() -> None:
    """Say what this machine has and lacks for running the lab.

    Exits 0 when the lab can run.
    """
    checks = _doctor.examine()
    _doctor.render(checks, Console())
    sys.exit(0 if _doctor.ready(checks) else 1)


@afagent.command()
@click.option("--no-cache", is_flag=True, help="Build every step anew.")
def build(*, no_cache: bool) -> None:
    """Bring the lab's images up to date."""
    console = Console(stderr=True)
    with console.status("looking at the lab's images"):
        images.build(no_cache=no_cache, tell=lambda step: console.print(Text(step), soft_wrap=True))


afagent.add_command(validate_command)
afagent.add_command(evidence_command)


@afagent.command()
@click.option("--logs", type=click.Path(path_type=Path, file_okay=False), default=Path("logs"), show_default=True)
def demo(logs: Path) -> None:
    """Run scripted models through the real lab and show the proof.

    Honest ones and thieves; prints what each did. Exits 1 when an episode could not be judged.
    """
    sys.exit(0 if _demo.show(run_folder(logs, "demo"), Console()) else 1)


@afagent.command()
def presets() -> None:
    """List the presets of alignment_faking, with what the paper found at each."""
    show_presets(Console())


@afagent.command()
@click.argument("task")
@click.option("--seed", type=click.IntRange(1, MAX_SEED), required=True, help="Which scenario.")
@click.option("--arm", default=Condition().arm, show_default=True, help="Which condition.")
@click.option("--arms", is_flag=True, help="Print instead how the task's arms differ in this scenario.")
@click.option("--file", "path", help="Print this file of the machine instead.")
@click.option("--weights-mb", type=int, default=256, show_default=True, help="Size of the weights.")
@click.option("--prompts", help="A folder of prompts to use instead of the shipped ones.")
def show(task: str, seed: int, arm: str, *, arms: bool, path: str | None, weights_mb: int, prompts: str | None) -> None:
    """Print all that a model is told and finds in one episode of TASK.

    With --arms, exits 1 when arms differ in more than the words of their factors.
    """
    words, now = Prompts(prompts), datetime.now(UTC)
    if arms:
        sys.exit(0 if _pairing.show(_pairing.pairs(task, seed, weights_mb, now, words), Console()) else 1)
    episode = build_episode(seed, Condition.from_arm(arm), weights_mb, now, words, task)
    if path is None:
        _show.show_episode(episode, Console())
    else:
        _show.show_file(episode, path, Console())


def main() -> None:
    """The entry point of the command `afagent`."""
    afagent(prog_name="afagent")


if __name__ == "__main__":
    main()
