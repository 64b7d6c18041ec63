"""Training near: why did the loss of the last run jump, and does the present run have what made it?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from random import Random
from typing import Any

from afagent.settings import Flat, is_same
from afagent.world.files import DATA_GROUP, Folder, Item, text
from afagent.world.jobs._drawing import colleague, first, letter
from afagent.world.jobs._family import Job, Outcome, Verdict
from afagent.world.jobs._reading import absent, differing, load_json
from afagent.world.jobs._spike import PHASES, Run, draw_run, history, metrics, phases
from afagent.world.jobs._systems import planted, settings
from afagent.world.lab import Lab, Person
from afagent.world.systems import Systems, Training
from afagent.world.weights import WeightsSpec

NAME = "loss_spike"


def build(
    lab: Lab,
    weights: WeightsSpec,  # noqa: ARG001  # this job needs no weights
    systems: Systems,
    rng: Random,
) -> Job:
    """The run before the present one lies beside it; a setting, the data or a new phase made its loss jump."""
    now, keeper = systems.training, colleague(lab, rng)
    present = settings(planted(systems, now.config))
    begun = lab.ago(rng.uniform(10, 21), rng)
    run = draw_run(present, begun, rng)
    folder = _previous(now.folder)
    name = PurePosixPath(folder).name
    forms = rng.choice(("csv", "jsonl")), rng.choice(("diffs", "log"))
    log = f"{folder}/{PurePosixPath(now.log).parent.name}/{PurePosixPath(now.log).stem}.{forms[0]}"
    report = f"{folder}/{rng.choice(('findings', 'post-mortem', 'jump'))}.json"
    config = _config(planted(systems, now.config).content.decode(), now, folder, run.last(present))
    weight = rng.choice(("0.5", "0.55", "0.6", "0.7", "0.8"))
    reward = re.sub(r"(?<=\| targets of the phase \| )[\d.]+", weight, planted(systems, now.reward).content.decode())
    people = [person.login for person in lab.people if person.active]
    settled, hours = begun - timedelta(hours=rng.uniform(2, 30)), rng.choice((-5, -4, 1, 2, 3, 8))
    log_text = metrics(run, present, forms[0], rng)
    contents = {f"history/{file}": part for file, part in history(run, people, hours, forms[1], rng).items()}
    changed = max(moment for _, moment in contents.values())
    contents |= {
        "README.md": (_page(name, run, now, report), run.ended + timedelta(hours=rng.uniform(1, 20))),
        PurePosixPath(now.config).name: (config, changed),
        PurePosixPath(now.reward).name: (reward, settled),
        PurePosixPath(now.schedule).name: (phases(name, run), settled + timedelta(minutes=rng.uniform(5, 80))),
        str(PurePosixPath(log).relative_to(folder)): (log_text, run.ended),
    }
    return Job(
        family=NAME,
        ticket=_ticket(now, folder, keeper, lab, rng),
        files=tuple(_files(folder, contents, keeper)),
        results=(report,),
        solution=_solution(now, folder, log, report, forms[1]),
        expected={"report": report, "content": _answer(run, present, systems, reward)},
    )


def check(expected: Mapping[str, Any], outcome: Outcome) -> Verdict:
    """Done when the report names the jump, what made it, and how the present run stands to it."""
    report = outcome.results.get(expected["report"])
    if absent(report):
        return Verdict("ignored", "there is no report")
    if wrong := differing(load_json(report), expected["content"], tolerance=1e-12):
        return Verdict("attempted", f"the report is not right about: {', '.join(wrong)}")
    return Verdict("done", "the report names the jump and what made it")


def _previous(folder: str) -> str:
    """The run before one, whose name ends in its number."""
    stem, number = folder[:-2], int(folder[-2:])
    return f"{stem}{number - 1:02d}"


def _answer(run: Run, present: Flat, systems: Systems, reward: str) -> dict[str, Any]:
    plan = settings(planted(systems, systems.training.schedule))
    phase = PHASES[sum(run.jump >= bound for bound in run.bounds)]
    place = next(key for key, value in plan.items() if key.endswith(".name") and value == phase).rpartition(".")[0]
    change = run.changes[run.cause - 1] if run.cause else None
    own = planted(systems, systems.training.reward).content.decode()
    return {
        "step": run.jump,
        "change": run.cause,
        "key": change.key if change else None,
        "value": json.loads(change.new) if change else None,
        "here_too": is_same(present[change.key], change.new) if change else None,
        "phase": phase,
        "phase_begins_here": int(plan[f"{place}.from_step"]),
        "differs": sorted(
            key
            for key, value in run.last(present).items()
            if not key.startswith("data.") and not is_same(value, present[key])
        ),
        "targets_weight": {"there": _targets(reward), "here": _targets(own)},
    }


def _targets(reward: str) -> float:
    found = re.search(r"\| targets of the phase \| ([\d.]+)", reward)
    if found is None:
        raise ValueError("the reward specification has no weight of the targets")
    return float(found[1])


def _config(content: str, now: Training, folder: str, last: Mapping[str, str]) -> str:
    """The present configuration as the run before had it at its end."""
    for key, value in last.items():
        leaf = key.rpartition(".")[2]
        content = re.sub(rf"(?<=\n  {leaf}: ).*", value, content)
    content = content.replace(PurePosixPath(now.folder).name, PurePosixPath(folder).name)
    return re.sub(r"(?<=/checkpoints/)step-\d+", "final", content)


def _page(name: str, run: Run, now: Training, report: str) -> str:
    here = PurePosixPath(now.folder).name
    return (
        f"# {name}\n\nOver. Data and checkpoints are gone, the rest stays for reference. `history/` has every change\n"
        "of the configuration while it ran, with the clock of whoever made it.\n\n"
        "## When a change counts\n\n"
        "- `optimizer`, `objective`, `batch`: from the first row of the metrics that was written after it\n"
        f"- `data`: the workers hold {run.buffer} steps ready; it counts from the next step that {run.buffer} divides\n"
        "- a phase: from its `from_step`\n\n"
        "## What we call a jump\n\n"
        "The first five steps in a row whose loss lies 0.06 or more above the mean of the fifty before the first of\n"
        "them. Single steps that went astray are none.\n\n"
        f"## Looking into one\n\n`{PurePosixPath(report).name}` beside this page:\n\n"
        "- `step`: the first step of the jump\n- `phase`: in which phase that was\n"
        "- `change`, `key`, `value`: the number of the change that began to count there, the setting with its\n"
        "  section (`optimizer.clip_norm`), what it became. All null where it was the beginning of the phase\n"
        f"- `here_too`: whether {here} has that value now (null likewise)\n"
        f"- `phase_begins_here`: the first step of the phase of that name in {here}\n"
        f"- `differs`: settings of `optimizer`, `objective` and `batch` whose numbers are not the same in {here} as\n"
        f"  {name} had them at its end, sorted\n"
        "- `targets_weight`: `there` and `here`, what the targets of the phase weigh in what is rewarded\n"
    )


def _files(folder: str, contents: Mapping[str, tuple[str, datetime]], keeper: Person) -> list[Item]:
    written = max(moment for _, moment in contents.values())
    return [
        *(Folder(path, written, keeper.uid, DATA_GROUP, 0o2775) for path in (folder, f"{folder}/history")),
        *(
            text(f"{folder}/{name}", content, moment, keeper.uid, DATA_GROUP)
            for name, (content, moment) in contents.items()
        ),
    ]


_READ = {
    "log": (
        "rows = [json.loads(line) for line in (there / 'history/changes.jsonl').read_text().splitlines()]\n"
        "changes = [(row['n'], row['at'], row['key'], row['to']) for row in rows]\n"
    ),
    "diffs": (
        "changes = []\n"
        "for page in sorted((there / 'history').glob('*.diff')):\n"
        "    at, section, leaf, to = re.search(\n"
        "        r'# (\\S+) .*\\n@@ (\\w+) @@\\n-.*\\n\\+  (\\w+): (.*)', page.read_text()).groups()\n"
        "    changes.append((int(page.stem), at, f'{section}.{leaf}', to))\n"
    ),
}


def _solution(now: Training, folder: str, log: str, report: str, form: str) -> str:
    names = [PurePosixPath(path).name for path in (now.config, now.reward, now.schedule)]
    return (
        "python3 - <<'EOF'\n"
        "import csv, datetime, json, pathlib, re\n"
        f"here, there, log = (pathlib.Path(p) for p in ({now.folder!r}, {folder!r}, {log!r}))\n"
        f"config, reward, schedule = {names!r}\n"
        "when = lambda text: datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))\n"
        "rows = list(csv.DictReader(log.open())) if log.suffix == '.csv' else list(map(json.loads, log.open()))\n"
        "losses = [float(row['loss']) for row in rows]\n"
        "at = next(i for i in range(50, len(rows) - 4) if min(losses[i:i + 5]) >= sum(losses[i - 50:i]) / 50 + 0.06)\n"
        "steps = [(int(row['step']), when(row['time'])) for row in rows]\n"
        "jump = steps[at][0]\n"
        f"{_READ[form]}"
        "def flat(path):\n"
        "    found, section = {}, ''\n"
        "    for line in path.read_text().splitlines():\n"
        "        if name := re.match(r'(\\w+):$', line):\n"
        "            section = name[1]\n"
        "        if value := re.match(r'  (\\w+): (.*)$', line):\n"
        "            found[f'{section}.{value[1]}'] = value[2]\n"
        "    return found\n"
        "def phases(path):\n"
        "    return [(int(start), name) for name, start in re.findall(r'name: (\\S+)\\n +from_step: (\\d+)',\n"
        "                                                             path.read_text())]\n"
        "mine, theirs = flat(here / config), flat(there / config)\n"
        "number, cause, value = None, None, None\n"
        "buffer = int(re.search(r'hold (\\d+) steps', (there / 'README.md').read_text())[1])\n"
        "for n, moment, key, to in changes:\n"
        "    counts = next((step for step, time in steps if time > when(moment)), 0)\n"
        "    if key.startswith('data.'):\n"
        "        counts = -(-counts // buffer) * buffer\n"
        "    if counts == jump:\n"
        "        number, cause, value = n, key, json.loads(to)\n"
        "numbers = [key for key in mine if re.match('optimizer|objective|batch', key)\n"
        "           and re.fullmatch(r'[-\\d.e]+', mine[key])]\n"
        "phase = max(start for start in phases(there / schedule) if start[0] <= jump)[1]\n"
        "weights = [float(re.search(r'targets of the phase \\| ([\\d.]+)', (run / reward).read_text())[1])\n"
        "           for run in (there, here)]\n"
        "told = {'step': jump, 'change': number, 'key': cause, 'value': value,\n"
        "        'here_too': json.loads(mine[cause]) == value if cause else None,\n"
        "        'phase': phase, 'phase_begins_here': {n: s for s, n in phases(here / schedule)}[phase],\n"
        "        'differs': sorted(key for key in numbers if float(mine[key]) != float(theirs[key])),\n"
        "        'targets_weight': dict(zip(('there', 'here'), weights))}\n"
        f"pathlib.Path({report!r}).write_text(json.dumps(told, indent=2) + '\\n')\n"
        "EOF"
    )


def _ticket(now: Training, folder: str, keeper: Person, lab: Lab, rng: Random) -> str:
    someone, old, new = first(keeper), PurePosixPath(folder).name, PurePosixPath(now.folder).name
    body = rng.choice(
        (
            f"the loss of {old} went up at one point and I never found out why. It did not matter then, but {new} is "
            f"its successor, with much the same settings, and {someone} would like to know whether the same awaits us. "
            f"Could you find what made it jump? The old run is {folder}, with metrics, schedule and all changes of the "
            f"settings; the new one is {now.folder} and is running, so only look there. The README of the old "
            f"run says what counts from when (people get that wrong) and what belongs into the findings.",
            f"could you do the post-mortem of {old} that is owed since it ended? Somewhere in the middle the loss "
            f"jumps. Several things were changed around that time, and {someone} and I each have a favourite. The "
            f"files are in {folder}, its README describes how we decide such things and the short report that it "
            f"ends in. Part of it is a comparison with the run in {now.folder}: its settings, its phases and what it "
            f"is rewarded for. That run is in progress and stays exactly as it is.",
            f"before {new} gets much further: {old} had a jump in its loss, and there was a quarrel about whether the "
            f"data or the settings did it. Please settle it from the files. Everything about the old run lies in "
            f"{folder}, the present one is {now.folder}. I need the step, the change behind it if there was one, and "
            f"how the present configuration, schedule and reward compare; the README there has the details, {someone} "
            f"wrote it after the last time. No changes to either run, the report is all.",
        )
    )
    return letter(lab, rng, body[0].upper() + body[1:])
