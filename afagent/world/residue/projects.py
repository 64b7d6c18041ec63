"""Project folders in people's homes: programs, notes, outputs, a notebook, and a virtual environment gone stale."""

from __future__ import annotations

import json
from datetime import timedelta
from random import Random

from afagent.world.files import Item, Link, text
from afagent.world.residue.code import program
from afagent.world.residue.grammar import Writer
from afagent.world.residue.setting import Setting

STEMS = (
    "count",
    "splits",
    "stats",
    "resample",
    "check_parts",
    "plot_len",
    "dedup_quick",
    "merge",
    "tokens_per_doc",
    "rates",
    "clean",
    "sizes",
    "fix_dates",
    "pack",
    "convert",
    "filter_lang",
    "summarise",
    "bench_read",
    "hist",
    "probe",
)

PACKAGES = (
    ("numpy", "1.24.4"), ("tqdm", "4.65.0"), ("requests", "2.31.0"), ("regex", "2023.8.8"), ("orjson", "3.9.5"),
    ("pyyaml", "6.0.1"), ("rich", "13.5.2"), ("pandas", "2.0.3"), ("zstandard", "0.21.0"), ("click", "8.1.6"),
)  # fmt: skip
"""Packages with the versions of some time ago, for requirements and old environments."""


def build(setting: Setting, w: Writer, root: str, owner: int, *, big: bool) -> list[Item]:
    """One project's folder."""
    rng, started = w.rng, w.rng.uniform(30, 420)

    def put(name: str, content: str, mode: int = 0o644, days: float | None = None) -> Item:
        age = rng.uniform(2, started) if days is None else days
        return text(f"{root}/{name}", content, setting.lab.ago(age, rng), owner, owner, mode)

    items: list[Item] = []
    stems = rng.sample(STEMS, rng.randrange(3, 8) if big else rng.randrange(1, 4))
    source = rng.choice(("", "", "src/", f"src/{rng.choice(('lib', 'core', 'io'))}/", "scripts/"))
    for stem in stems:
        about = w.line("phrases", "notes.line")
        items.append(put(f"{source}{stem}.py", program(about, rng)))
    if big:
        items.append(put("README.md", _readme(setting, w, root.rsplit("/", 1)[-1])))
        items.append(put(".gitignore", "__pycache__/\n*.pyc\n.venv/\nout*\n"))
        items.append(put("run.sh", _run(setting, w, f"{source}{stems[0]}.py"), 0o755))
        items.append(put("requirements.txt", _requirements(rng)))
        items.append(
            put(f"out/{rng.choice(('run', 'sweep'))}{rng.randrange(1, 9)}/{setting.datasets[0]}/stats.csv", _csv(rng))
        )
    if rng.random() < 0.6:
        items.append(
            put(f"{rng.choice(('look', 'plots', 'Untitled', 'check'))}{rng.randrange(1, 5)}.ipynb", _notebook(w, rng))
        )
    if rng.random() < 0.6:
        items.append(put("notes.txt", "\n".join(w.lines("phrases", "notes.line", 3, 14)) + "\n"))
    if rng.random() < 0.5:
        items.append(put(f"{stems[-1]}.py.bak", program(w.line("phrases", "notes.line"), rng)))
    if big and rng.random() < 0.7:
        items += _environment(setting, rng, f"{root}/{rng.choice(('.venv', 'venv', 'env'))}", owner)
    return items


def _readme(setting: Setting, w: Writer, name: str) -> str:
    parts = [
        f"# {name}",
        *w.lines("topics", f"{w.rng.choice(('ingest', 'dedup', 'compare', 'tokenizer', 'mirror'))}.fact", 1, 3),
    ]
    if w.rng.random() < 0.6:
        parts += [
            w.rng.choice(("## Use", "## Running", "## How")),
            f"    ./run.sh {setting.sets}/{w.rng.choice(setting.datasets)}",
        ]
    return "\n\n".join([*parts, *w.lines("phrases", "page.open", 0, 1)]) + "\n"


def _run(setting: Setting, w: Writer, script: str) -> str:
    default = f"{setting.sets}/{w.rng.choice(setting.datasets)}"
    loop = f'for part in ${{1:-{default}}}/part-*; do\n  python3 {script} "$part" >> out.txt\ndone\n'
    return f'#!/bin/bash\nset -e\ncd "$(dirname "$0")"\n{loop}'


def _requirements(rng: Random) -> str:
    pins = (
        rng.choice((f"{name}=={version}", name, f"{name}>={version.rsplit('.', 1)[0]}"))
        for name, version in rng.sample(PACKAGES, rng.randrange(2, 7))
    )
    return "\n".join(pins) + "\n"


def _csv(rng: Random) -> str:
    """Per-part figures with a restart, a gap and a few doubled lines."""
    rows, step = ["step,rows,bytes,seconds"], 0
    for _ in range(int(rng.paretovariate(0.9) * 40) % 260 + 12):
        step = step + rng.choice((1, 1, 1, 1, 2)) if rng.random() > 0.01 else max(0, step - rng.randrange(3, 20))
        rows.append(
            f"{step},{rng.randrange(900, 60_000)},{int(rng.lognormvariate(15, 1))},{rng.lognormvariate(1, 0.7):.3f}"
        )
    return "\n".join(rows) + "\n"


def _notebook(w: Writer, rng: Random) -> str:
    cells: list[dict[str, object]] = []
    for i in range(rng.randrange(2, 7)):
        if rng.random() < 0.35:
            cells.append({"cell_type": "markdown", "metadata": {}, "source": [w.line("phrases", "notes.line")]})
        else:
            source = program("", rng).splitlines(keepends=True)[: rng.randrange(4, 24)]
            count = rng.choice((None, i + rng.randrange(1, 40)))
            cells.append(
                {"cell_type": "code", "execution_count": count, "metadata": {}, "outputs": [], "source": source}
            )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return (
        json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
        + "\n"
    )


def _environment(setting: Setting, rng: Random, root: str, owner: int) -> list[Item]:
    """What is left of a virtual environment: unpacked in one go, its interpreter gone with an older image."""
    made = setting.lab.ago(rng.uniform(120, 500), rng)
    version = rng.choice(("3.9", "3.10", "3.11"))
    site = f"{root}/lib/python{version}/site-packages"
    release = f"{version}.{rng.randrange(2, 18)}"
    config = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {release}\n"
    contents = {f"{root}/pyvenv.cfg": config}
    contents[f"{root}/bin/activate"] = (
        f'VIRTUAL_ENV="{root}"\nexport VIRTUAL_ENV\nPATH="$VIRTUAL_ENV/bin:$PATH"\nexport PATH\n'
    )
    for name, release in rng.sample(PACKAGES, rng.randrange(2, 5)):
        info = f"{site}/{name}-{release}.dist-info"
        contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n"
        contents[f"{info}/INSTALLER"] = "pip\n"
        contents[f"{info}/top_level.txt"] = f"{name}\n"
    files: list[Item] = [
        text(path, body, made + timedelta(seconds=i // 3), owner, owner)
        for i, (path, body) in enumerate(contents.items())
    ]
    links = (("python3", f"/usr/bin/python{version}"), ("python", "python3"))
    return [*files, *(Link(f"{root}/bin/{name}", target, made, owner, owner) for name, target in links)]
