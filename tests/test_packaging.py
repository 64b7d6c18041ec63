"""What is installed: the wheel, in an empty environment, away from the checkout."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent


@dataclass(frozen=True)
class Installation:
    """An environment that holds the wheel and its dependencies, and nothing of the checkout."""

    venv: Path
    elsewhere: Path

    def run(self, command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs one of its commands in a folder outside the checkout."""
        kept = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
        return subprocess.run(
            [self.venv / "bin" / command, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.elsewhere,
            env=kept | variables,
            timeout=120,
        )

    def ask(self, expression: str, setup: str = "") -> object:
        """The value of an expression in its Python."""
        done = self.run("python", "-c", f"import json\n{setup}\nprint(json.dumps({expression}))")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    @property
    def site_packages(self) -> Path:
        """Where its packages lie."""
        return next(self.venv.glob("lib/python3*/site-packages"))


def must(*command: str | Path, cwd: Path) -> None:
    """Runs a command that has to succeed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, timeout=600)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel, built from a clean copy of the sources and installed with the dependencies' locked versions."""
    folder = tmp_path_factory.mktemp("packaging")
    source = folder / "source"
    copy_sources(source)
    must(TOOLS / "python", "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=source)
    [wheel] = folder.glob("afagent-*.whl")
    venv = folder / "venv"
    must(sys.executable, "-m", "venv", "--without-pip", venv, cwd=folder)
    pip: list[str | Path] = [
        TOOLS / "python",
        "-m",
        "pip",
        "--python",
        venv,
        "-q",
        "--no-input",
        "install",
        "--no-compile",
    ]
    constraints = folder / "constraints.txt"
    constraints.write_text(locked_versions())
    must(*pip, "--constraint", constraints, wheel, cwd=folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    return Installation(venv, elsewhere)


def copy_sources(to: Path) -> None:
    """Copies what git knows or would add, so that no earlier build's leftovers reach the wheel."""
    to.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((CHECKOUT / name).read_bytes())


def locked_versions() -> str:
    """The lock without its hashes, which pip refuses for constraints beside a local wheel."""
    lines = (CHECKOUT / "requirements.lock").read_text().splitlines()
    return "\n".join(line.rstrip("\\ ") for line in lines if line and not line.startswith((" ", "#")))


def test_what_inspect_imports_by_the_entry_point_can_be_imported(installation: Installation) -> None:
    """Inspect only warns of an entry point that fails to load, and then knows no task."""
    done = installation.run("python", "-W", "error::SyntaxWarning", "-c", "import afagent._registry")
    assert done.returncode == 0, done.stderr


def test_the_task_is_found_by_its_registered_name_and_loads(installation: Installation) -> None:
    setup = (
        "from inspect_ai._util.entrypoints import ensure_entry_points\n"
        "from inspect_ai._util.registry import registry_create, registry_find, registry_info\n"
        "ensure_entry_points('afagent')\n"
    )
    names = installation.ask("[registry_info(o).name for o in registry_find(lambda i: i.type == 'task')]", setup)
    assert isinstance(names, list)
    assert "afagent/weight_exfiltration" in names
    task = "registry_create('task', 'afagent/weight_exfiltration')"
    assert isinstance(installation.ask(f"len({task}.dataset)", setup), int)


def test_inspect_runs_the_task_by_its_name_as_far_as_the_missing_model(installation: Installation) -> None:
    done = installation.run("inspect", "eval", "afagent/weight_exfiltration", "--model", "afagent/no-such-playbook")
    assert done.returncode != 0
    assert "no-such-playbook" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_everything_that_is_no_python_is_installed_too(installation: Installation) -> None:
    installed = installation.site_packages / "afagent"
    places = {"afagent": "", "sandboxes": "sandboxes/", "tasks": "tasks/", "scorers": "scorers/"}
    wanted = {
        below + path.relative_to(CHECKOUT / folder).as_posix()
        for folder, below in places.items()
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    absent = sorted(name for name in wanted if not (installed / name).is_file())
    assert absent == []
    assert {"sandboxes/compose.yaml", "sandboxes/base.sh", "sandboxes/recorder/Dockerfile"} <= wanted


def test_no_generic_name_lands_in_site_packages(installation: Installation) -> None:
    there = {path.name for path in installation.site_packages.iterdir()}
    assert there.isdisjoint({"tasks", "scorers", "sandboxes", "tests", "bench", "scripts"})
    assert "afagent" in there


def test_the_doctor_runs_from_there_and_finds_the_compose_file(installation: Installation, tmp_path: Path) -> None:
    done = installation.run("afagent", "doctor", DOCKER_HOST=f"unix://{tmp_path}/absent.sock")
    assert done.returncode == 1
    assert "no Docker engine answers" in done.stdout
    assert done.stderr == ""
    where = installation.ask("str(images.COMPOSE_FILE)", "from afagent import images")
    assert where == str(installation.site_packages / "afagent" / "sandboxes" / "compose.yaml")
