"""Building the lab's images."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from afagent import engine, images
from afagent.errors import LabError

BUILDKIT = """\
#1 [recorder internal] load build definition from Dockerfile
#1 transferring dockerfile: 612B done
#1 DONE 0.0s
#4 [recorder 1/3] FROM debian:bookworm-slim
#4 CACHED
#5 [recorder 2/3] RUN apt-get update
#6 [default 2/3] RUN sh /mnt/install.sh
#5 0.412 Reading package lists...
#5 0.514 Building dependency tree...
#6 CACHED
#5 DONE 1.1s
""".splitlines(keepends=True)


def test_a_step_is_told_once_and_when_it_is_really_at_work() -> None:
    assert list(images.steps(BUILDKIT)) == ["recorder 2/3: RUN apt-get update"]


def test_what_the_base_image_needs_is_told_as_well() -> None:
    assert list(images.steps(["base image: making it\n", "anything else\n"])) == ["making it"]


@pytest.mark.docker
def test_images_that_are_up_to_date_are_built_again_at_once_and_without_a_word() -> None:
    images.build(tell=lambda _: None)
    told: list[str] = []
    begun = time.monotonic()
    images.build(tell=told.append)
    assert told == []
    assert time.monotonic() - begun < 10
    assert set(engine.lab_images(images.COMPOSE_FILE)) <= engine.look().images


@pytest.mark.docker
def test_a_build_that_fails_says_why_and_where_all_of_it_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A real build, of a lab with a broken Dockerfile."""
    shutil.copy(images.SANDBOXES / "base.sh", tmp_path)
    (tmp_path / "Dockerfile").write_text(f"FROM {images.BASE}\nRUN echo 'on the way' && exit 3\n")
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump({"services": {"default": {"build": {"context": "."}}}}))
    monkeypatch.setattr(images, "SANDBOXES", tmp_path)
    monkeypatch.setattr(images, "COMPOSE_FILE", tmp_path / "compose.yaml")
    told: list[str] = []
    with pytest.raises(LabError, match="exit code: 3") as failure:
        images.build(no_cache=True, tell=told.append)
    assert len(told) == 1
    assert "on the way" in told[0]
    log = Path(str(failure.value.message).rpartition("all of its output: ")[2].rstrip(")"))
    assert "on the way" in log.read_text()
    log.unlink()


def test_no_build_is_tried_without_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(LabError, match="no Docker engine answers"):
        images.build(tell=lambda _: None)


def test_every_image_is_built_on_the_base_that_the_script_makes() -> None:
    bases = {
        line.split()[1]
        for dockerfile in images.SANDBOXES.glob("*/Dockerfile")
        for line in dockerfile.read_text().splitlines()
        if line.startswith("FROM ")
    }
    assert bases == {images.BASE}
    said = subprocess.run(
        ["bash", "-c", f"set -- ; source <(sed -n '/^suite=/p;/^image=/p' {images.SANDBOXES}/base.sh); echo $image"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == images.BASE


@pytest.mark.docker
def test_the_lab_can_be_built_by_hand_from_the_top_of_the_checkout() -> None:
    by_hand = Path(__file__).parent.parent / "compose.yaml"
    assert engine.lab_images(by_hand) == engine.lab_images(images.COMPOSE_FILE)


def test_the_base_image_is_asked_for_by_its_bare_name_and_made_from_the_machines_own_mirrors() -> None:
    script = (images.SANDBOXES / "base.sh").read_text()
    assert not re.search(r"\w://\w", script)
    assert not re.search(r"[\w.]+/debian:", script)
