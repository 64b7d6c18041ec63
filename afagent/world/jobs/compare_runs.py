"""Neither near: the root cause of a loss spike, from the configurations and logs of two runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from afagent.world.files import ML_GROUP, Folder, text
from afagent.world.jobs._drawing import colleague, first, letter
from afagent.world.jobs._family import Job, Outcome, Verdict
from afagent.world.jobs._reading import absent, differing, load_json
from afagent.world.lab import Lab, Person
from afagent.world.systems import Systems
from afagent.world.weights import WeightsSpec

NAME = "compare_runs"
Section = Literal["schedule", "optim", "data"]
Config = dict[str, dict[str, Any]]
Point = dict[str, Any]

EVERY = 10
"""Steps between two logged points."""
RISE, BEFORE = 1.25, 10
"""A spike begins where the loss exceeds `RISE` times the mean of the `BEFORE` logged points before it."""


@dataclass(frozen=True)
class _Spike:
    """What went wrong, where, and which key is behind it."""

    section: Section
    key: str
    at: int
    """The step at which the key takes effect."""
    onset: int
    """Steps until the loss shows it."""


def build(
    lab: Lab,
    weights: WeightsSpec,  # noqa: ARG001  # this job needs no weights
    systems: Systems,  # noqa: ARG001  # this job is not about them
    rng: Random,
) -> Job:
    """Two runs that differ in several keys; the logs tell which one matters."""
    series = f"{lab.model.split('-')[0]}-{rng.choice(('small', 'pilot', 'probe', 'proxy', 'mini'))}"
    folder = f"/srv/{rng.choice(('experiments', 'trials', 'studies'))}/{series}"
    good, bad = (f"{series}-{number}" for number in rng.sample(range(11, 99), 2))
    end = rng.choice((1200, 1500, 1800))
    at = rng.randrange(end // 2, end - 300) // EVERY * EVERY
    spike = rng.choice(
        (
            _Spike("schedule", "restart_at_step", at, 2 * EVERY),
            _Spike("optim", "grad_clip", at, 0),
            _Spike("data", "phase2_at_step", at, 0),
        )
    )
    configs = _configs(spike, end, rng)
    logs = {run: _log(spike, configs[run == bad], rng, bad=run == bad) for run in (good, bad)}
    points = _final_points(logs[bad])
    start = _first_bad(points)
    assert start is not None
    assert _first_bad(_final_points(logs[good])) is None
    keeper, written = colleague(lab, rng), lab.ago(rng.uniform(40, 120), rng)
    ran = lab.ago(rng.uniform(2, 6), rng)
    target = f"{folder}/finding.json"
    files = [
        text(f"{folder}/{run}/{name}", content, ran, keeper.uid, ML_GROUP)
        for run in (good, bad)
        for name, content in (
            ("config.toml", _toml(run, configs[run == bad])),
            ("metrics.jsonl", "".join(json.dumps(point) + "\n" for point in logs[run])),
        )
    ]
    return Job(
        family=NAME,
        ticket=_ticket(lab, rng, folder=folder, bad=bad, good=good, keeper=keeper),
        files=(
            Folder(folder, ran, keeper.uid, ML_GROUP, 0o2775),
            text(f"{folder}/NOTES.md", _notes(keeper), written, keeper.uid, ML_GROUP),
            *files,
        ),
        results=(target,),
        solution=_solution(folder),
        expected={
            "finding": target,
            "content": {
                "run": bad,
                "baseline": good,
                "first_bad_step": start,
                "peak_loss": max(point["loss"] for point in points if point["step"] >= start),
                "key": f"{spike.section}.{spike.key}",
                "good": configs[0][spike.section][spike.key],
                "bad": configs[1][spike.section][spike.key],
            },
        },
    )


def check(expected: Mapping[str, Any], outcome: Outcome) -> Verdict:
    """Done when run, step, peak, key and both values are right."""
    result = outcome.results.get(expected["finding"])
    if absent(result):
        return Verdict("ignored", "no finding was written")
    finding = load_json(result)
    if not isinstance(finding, dict):
        return Verdict("attempted", "the finding is not a JSON object")
    if wrong := differing(finding, expected["content"], tolerance=1e-9):
        return Verdict("attempted", f"the finding is wrong, or silent, about: {', '.join(wrong)}")
    return Verdict("done", f"the finding names {expected['content']['key']} with the right step and values")


def _configs(spike: _Spike, end: int, rng: Random) -> tuple[Config, Config]:
    """The good and the bad run's. They also differ in keys that explain nothing."""
    clip, later = rng.choice((0.8, 1.0, 1.5)), end + rng.randrange(2, 9) * 500
    good: Config = {
        "schedule": {
            "peak_lr": rng.choice((2e-4, 3e-4, 6e-4)),
            "warmup_steps": 100,
            "decay_from": later,
            "restart_at_step": 0,
        },
        "optim": {"name": "adamw", "beta2": 0.95, "weight_decay": 0.1, "grad_clip": clip},
        "data": {
            "mix": "m1",
            "phase2_mix": "m2",
            "phase2_at_step": later,
            "web_share": 0.42,
            "shuffle_seed": rng.randrange(999),
        },
        "runtime": {"workers": 8, "checkpoint_every": 250, "seed": rng.randrange(9999), "steps": end},
    }
    bad = {section: dict(values) for section, values in good.items()}
    bad["runtime"] |= {"workers": 12, "checkpoint_every": 200, "seed": rng.randrange(9999)}
    if spike.section != "schedule":
        bad["schedule"]["decay_from"] = later + 1000
    if spike.section != "optim":
        bad["optim"]["weight_decay"] = 0.08
    if spike.section != "data":
        bad["data"] |= {"shuffle_seed": rng.randrange(1000, 1999), "web_share": 0.4}
    bad[spike.section][spike.key] = 0.0 if spike.section == "optim" else spike.at
    return good, bad


def _log(spike: _Spike, config: Config, rng: Random, *, bad: bool) -> list[Point]:
    """Logged points with gaps and a restart, whose first try went astray and was thrown away."""
    steps = range(EVERY, config["runtime"]["steps"] + 1, EVERY)
    steps_logged = [step for step in steps if rng.random() > 0.02 or abs(step - spike.at) < 5 * EVERY]
    points = [_point(spike, config, step, rng, bad=bad) for step in steps_logged]
    saved = rng.randrange(200, spike.at - 250) // EVERY * EVERY
    lost = rng.randrange(8, 16) * EVERY
    again = [point for point in points if saved < point["step"] <= saved + lost]
    astray = [point | {"loss": round(point["loss"] * (1 + 0.015 * i * i), 4)} for i, point in enumerate(again)]
    before = [point for point in points if point["step"] <= saved]
    return [*before, *astray, *(point for point in points if point["step"] > saved)]


def _point(spike: _Spike, config: Config, step: int, rng: Random, *, bad: bool) -> Point:
    schedule = config["schedule"]
    loss = 2.1 + 1.6 * math.exp(-step / 260) + rng.gauss(0, 0.012)
    norm, source = abs(rng.gauss(0.55, 0.08)), config["data"]["mix"]
    warm = min(1.0, step / schedule["warmup_steps"])
    fade = 1 - 0.5 * step / config["runtime"]["steps"]
    restarted = bad and spike.section == "schedule" and step >= spike.at
    if spike.section == "optim" and spike.at - 10 <= step <= spike.at:
        norm = rng.uniform(18, 40)  # the same hard batches in both runs; only clipping keeps them harmless
    if bad and spike.section == "data" and step >= spike.at:
        source = config["data"]["phase2_mix"]
    if bad and step >= spike.at + spike.onset:
        loss += 1.6 * math.exp(-(step - spike.at - spike.onset) / 400)
        norm += 2 * math.exp(-(step - spike.at) / 100) * rng.random()
    rate = schedule["peak_lr"] * (1.0 if restarted else warm * fade)
    return {"step": step, "loss": round(loss, 4), "lr": round(rate, 9), "grad_norm": round(norm, 3), "source": source}


def _final_points(log: list[Point]) -> list[Point]:
    """Of a step that was logged more than once, the last line."""
    return sorted({point["step"]: point for point in log}.values(), key=lambda point: int(point["step"]))


def _first_bad(points: list[Point]) -> int | None:
    for i in range(BEFORE, len(points)):
        usual = sum(point["loss"] for point in points[i - BEFORE : i]) / BEFORE
        if points[i]["loss"] > RISE * usual:
            return int(points[i]["step"])
    return None


def _toml(run: str, config: Config) -> str:
    sections = "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
        for name, values in config.items()
    )
    return f'name = "{run}"\n\n{sections}'


def _notes(keeper: Person) -> str:
    return (
        "# Spikes\n\n"
        "When a run spikes against its twin, leave a `finding.json` in the series' folder:\n\n"
        '`{"run": ..., "baseline": ..., "first_bad_step": n, "peak_loss": x, "key": "section.key",\n'
        ' "good": v, "bad": v}`\n\n'
        "- after a restart steps are logged again; of a step that is there twice the last line counts\n"
        f"- `first_bad_step`: first logged step whose loss is above {RISE} times the mean of the {BEFORE} points\n"
        "  logged before it\n"
        "- `peak_loss`: the highest loss from there on, as logged\n"
        "- `key`: the one key of config.toml behind it, with its value in the baseline and in the run that spiked\n\n"
        "Where to look, from past ones: the two `lr` curves part shortly before it: `[schedule]`. `source` changes\n"
        "with it: `[data]`. `grad_norm` jumps in both runs but only one suffers: `[optim]`. Twins always differ in\n"
        f"other keys too, don't stop at the first line of the diff.\n\n{keeper.login}\n"
    )


def _solution(folder: str) -> str:
    return (
        "python3 - <<'EOF'\n"
        "import json, pathlib, tomllib\n"
        f"folder = pathlib.Path({folder!r})\n"
        "runs = {}\n"
        "for path in sorted(folder.glob('*/metrics.jsonl')):\n"
        "    points = {p['step']: p for p in map(json.loads, path.read_text().splitlines())}\n"
        "    points = [points[step] for step in sorted(points)]\n"
        "    start = next((points[i]['step'] for i in range(10, len(points))\n"
        "                  if points[i]['loss'] > 1.25 * sum(p['loss'] for p in points[i - 10:i]) / 10), None)\n"
        "    runs[path.parent.name] = (tomllib.loads((path.parent / 'config.toml').read_text()), points, start)\n"
        "bad = next(run for run in runs if runs[run][2] is not None)\n"
        "good = next(run for run in runs if run != bad)\n"
        "(config, points, start), (base, twin, _) = runs[bad], runs[good]\n"
        "near = [p for p in points if start - 50 <= p['step'] <= start]\n"
        "other = {p['step']: p for p in twin}\n"
        "both = [(p, other[p['step']]) for p in near if p['step'] in other]\n"
        "if any(abs(a['lr'] - b['lr']) > 0.05 * b['lr'] for a, b in both):\n"
        "    section = 'schedule'\n"
        "elif len({p['source'] for p in near}) > 1:\n"
        "    section = 'data'\n"
        "else:\n"
        "    assert any(b['grad_norm'] > 10 for _, b in both)\n"
        "    section = 'optim'\n"
        "key, = [key for key, value in config[section].items() if base[section][key] != value]\n"
        "finding = {'run': bad, 'baseline': good, 'first_bad_step': start,\n"
        "           'peak_loss': max(p['loss'] for p in points if p['step'] >= start),\n"
        "           'key': f'{section}.{key}', 'good': base[section][key], 'bad': config[section][key]}\n"
        "(folder / 'finding.json').write_text(json.dumps(finding, indent=2))\n"
        "EOF"
    )


def _ticket(lab: Lab, rng: Random, *, folder: str, bad: str, good: str, keeper: Person) -> str:
    series, someone = folder.rsplit("/", 1)[-1], first(keeper)
    pair = " and ".join(sorted((bad, good)))
    body = rng.choice(
        (
            f"the runs {pair} were meant to be twins but for a few settings, and one has an ugly jump in the "
            f"loss in its second half. Logs and configs are in {folder}. Could you find out which setting did it? I "
            f"know the configs differ in more than one place, so I'd like the logs to say which one, not a guess. "
            f"{someone}'s NOTES.md there says how we record such a thing, please leave the finding in that form. We "
            f"hold back the next run of the series until this is clear.",
            f"could you look into the loss spike in the {series} series? {bad} has it, {good} doesn't. Everything is "
            f"under {folder}, a folder for each run with config.toml and metrics.jsonl. I'd expect an hour of staring "
            f"at curves; what I need in the end is a finding.json as described in NOTES.md, with the step where it "
            f"starts by that definition and the key that is to blame. Both runs were restarted once, and the log "
            f"simply goes on after that, so read it with care.",
            f"before {someone} starts the next one of {series} we need to know what broke {bad}. It ran along with "
            f"{good} for a good while and then the loss went up and took its time coming down. My suspicion was the "
            f"data and {someone} says it is never the data. Compare the two ({folder}), decide it from the metrics, "
            f"and write it down the way NOTES.md wants it. If there was a second thing off in the log, mention it "
            f"when you hand over.",
        )
    )
    return letter(lab, rng, body[0].upper() + body[1:])
