"""What `afagent doctor` says of a machine."""

from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from afagent import doctor, images
from afagent.doctor import Check, Machine
from afagent.engine import Engine

ENGINE = Engine(
    version="26.1.5+dfsg1",
    images=frozenset({images.BASE, "afagent-recorder:latest", "afagent-workstation:latest"}),
    memory=16 * doctor.GIB,
    disk_free=50 * doctor.GIB,
)
MACHINE = Machine(
    engine=ENGINE,
    compose="2.26.1-4",
    compose_error="",
    lab_images=("afagent-recorder:latest", "afagent-workstation:latest"),
    python="3.11.2",
    inspect="0.3.285",
    inspect_floor="0.3.285",
)
LACKING = {
    "engine": replace(MACHINE, engine=replace(ENGINE, version="20.10.24+dfsg1")),
    "compose": replace(MACHINE, compose="1.29.2"),
    "base image": replace(MACHINE, engine=replace(ENGINE, images=ENGINE.images - {images.BASE})),
    "lab images": replace(MACHINE, engine=replace(ENGINE, images=ENGINE.images - {"afagent-recorder:latest"})),
    "disk": replace(MACHINE, engine=replace(ENGINE, disk_free=1 * doctor.GIB)),
    "memory": replace(MACHINE, engine=replace(ENGINE, memory=1 * doctor.GIB)),
    "python": replace(MACHINE, python="3.10.14"),
    "inspect-ai": replace(MACHINE, inspect="0.3.100"),
}
"""One machine for each check, which lacks just that."""


def printed(checks: list[Check]) -> list[str]:
    out = StringIO()
    doctor.render(checks, Console(file=out, width=60))
    return out.getvalue().splitlines()


def test_a_machine_that_has_everything_is_ready() -> None:
    checks = doctor.judge(MACHINE)
    assert [check.name for check in checks] == list(LACKING)
    assert all(check.ok for check in checks)
    assert doctor.ready(checks)


@pytest.mark.parametrize("name", LACKING)
def test_whatever_is_lacking_is_the_one_thing_told_and_the_machine_is_not_ready(name: str) -> None:
    checks = doctor.judge(LACKING[name])
    assert [check.name for check in checks if not check.ok] == [name]
    assert not doctor.ready(checks)
    assert all(check.remedy for check in checks if check.ok is False)


@given(st.text(max_size=50), st.booleans())
def test_without_an_engine_no_machine_is_ready_and_nothing_is_claimed_of_what_only_it_knows(
    why: str, has_compose: bool
) -> None:
    machine = replace(MACHINE, engine=why, compose="2.26.1" if has_compose else "")
    found = {check.name: check.ok for check in doctor.judge(machine)}
    assert found["engine"] is False
    assert [found[name] for name in ("base image", "lab images", "disk", "memory")] == [None] * 4
    assert not doctor.ready(doctor.judge(machine))


def test_a_disk_on_another_machine_cannot_be_told_and_does_not_stop_the_lab() -> None:
    checks = doctor.judge(replace(MACHINE, engine=replace(ENGINE, disk_free=None)))
    assert [check.name for check in checks if check.ok is None] == ["disk"]
    assert doctor.ready(checks)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=80))
@example("\\[")
def test_each_check_is_one_line_and_what_an_engine_says_is_never_read_as_markup(said: str) -> None:
    lines = printed([Check("engine", ok=False, said=f"{said} [red]x[/] [/nothing]"), Check("disk", ok=None, said="?")])
    assert len(lines) == 2
    assert f"{said} [red]x[/] [/nothing]" in lines[0]


def test_a_line_says_whether_what_and_the_remedy_only_where_there_is_need() -> None:
    assert printed([Check("disk", ok=True, said="9 GiB", remedy="free some")]) == ["ok           disk        9 GiB"]
    assert printed([Check("disk", ok=False, said="9 GiB", remedy="free some")]) == [
        "missing      disk        9 GiB: free some"
    ]


@pytest.mark.docker
def test_this_machine_has_what_the_other_tests_need() -> None:
    images.build(tell=lambda _: None)
    checks = doctor.examine()
    assert doctor.ready(checks), printed(checks)
