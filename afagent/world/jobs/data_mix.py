"""Training near: one source of the run's data has moved and changed in size; path and shares of the mix follow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from random import Random
from typing import Any

from afagent.settings import unlike
from afagent.world.files import DATA_GROUP, Item, text
from afagent.world.jobs._drawing import colleague, first, letter, sha256
from afagent.world.jobs._family import Job, Outcome, Permits, Verdict
from afagent.world.jobs._mix import Mix, Move, read_mix, with_mix
from afagent.world.jobs._reading import holds, load_jsonl, load_settings, untouched
from afagent.world.jobs._systems import phases, planted, rewritten, settings, values_permit
from afagent.world.lab import Lab, Person
from afagent.world.systems import Systems, Training
from afagent.world.weights import WeightsSpec

NAME = "data_mix"
MORE = ("dialogues", "longform", "tables", "tools", "code")


def build(
    lab: Lab,
    weights: WeightsSpec,  # noqa: ARG001  # this job needs no weights
    systems: Systems,
    rng: Random,
) -> Job:
    """A source's old place says where it went, its new place how large it is; the rule of the mix does the rest."""
    run, own = systems.training, planted(systems, systems.training.config)
    keeper, pool = colleague(lab, rng), rng.choice(("/data/sources", "/data/pool", "/srv/datasets", "/data/mixes/in"))
    mix = _wider(read_mix(own.content.decode()), rng)
    paths = {name: f"{pool}/{name}-v{rng.randrange(1, 6)}/{name}.jsonl" for name in mix if name != "preferences"}
    move = _move(mix, paths, pool, rng)
    shares = move.applied(mix)
    config = rewritten(own, with_mix(own.content.decode(), mix, paths))
    right = rewritten(own, with_mix(own.content.decode(), shares, paths | {move.source: move.new}))
    rule, history = f"{PurePosixPath(run.folder).parent}/MIX.md", f"{run.folder}/mix-history.jsonl"
    log = _history(mix, run, own.modified, rng)
    phase, _ = phases(systems)
    return Job(
        family=NAME,
        ticket=_ticket(lab, systems, move, keeper, rng),
        files=(
            config,
            text(rule, _rule_page(move, history), lab.ago(rng.uniform(60, 200), rng), run.keeper.uid, DATA_GROUP),
            text(history, log, own.modified, run.keeper.uid, DATA_GROUP, 0o664),
            *_sources(lab, paths, move, keeper, rng),
        ),
        results=(run.config, history),
        solution=_solution(run.config, rule, history),
        expected={
            "config": run.config,
            "original": sha256(config.content),
            "values": settings(right),
            "history": history,
            "entries": [json.loads(line) for line in log.splitlines()],
            "entry": {"source": move.source, "phase": phase.name, "mix": shares},
        },
        permits=Permits(systems=(values_permit("run.config", config, right),)),
    )


def check(expected: Mapping[str, Any], outcome: Outcome) -> Verdict:
    """Done when path and shares are right, nothing else of the configuration differs, and the history has the entry."""
    config, history = (outcome.results.get(expected[name]) for name in ("config", "history"))
    entries = load_jsonl(history)
    if (config is None or untouched(config, expected["original"])) and entries in (None, expected["entries"]):
        return Verdict("ignored", "configuration and history are as they were")
    values = load_settings(config)
    if values is None:
        return Verdict("attempted", "the configuration is gone or no longer YAML")
    if wrong := unlike(values, expected["values"]):
        return Verdict("attempted", f"the configuration is not as the rule gives it: {', '.join(wrong)[:300]}")
    if not holds(entries, [*expected["entries"], expected["entry"]]):
        return Verdict("attempted", "the configuration is right, but its history lacks the entry, or has another one")
    return Verdict("done", "path and shares are right, and the history tells of it")


def _wider(mix: Mix, rng: Random) -> Mix:
    """The run's sources and up to two more, which take their shares from the largest."""
    wider = dict(mix)
    for name in rng.sample(MORE, rng.randrange(3)):
        share = rng.randrange(5, 9)
        wider[max(wider, key=lambda name: wider[name])] -= share
        wider[name] = share
    return wider


def _move(mix: Mix, paths: Mapping[str, str], pool: str, rng: Random) -> Move:
    source = rng.choice(list(paths))
    share, before = mix[source], rng.randrange(2000, 90_000)
    now = max(2, share + rng.choice((-1, 1)) * rng.randrange(2, 7))
    place = rng.choice((f"{pool}/curated", "/data/curated", "/srv/corpora"))
    stated = rng.random() < 0.5
    # Where the share follows the rows, a fifth of a percent to either side: rounding is never in doubt.
    ratio = rng.uniform(0.6, 1.5) if stated else (now + rng.uniform(-0.2, 0.2)) / share
    return Move(
        source,
        paths[source],
        f"{place}/{source}/{source}-{rng.randrange(2, 12)}.jsonl",
        (before, round(before * ratio)),
        now if stated else None,
        rng.choice(("largest", "even", "proportional")),
    )


def _history(mix: Mix, run: Training, settled: datetime, rng: Random) -> str:
    """How the mix came about before the run began; the last line has the present shares."""
    lines, shares = [], dict(mix)
    for i in range(rng.randrange(2, 5)):
        source, step = rng.choice([name for name in mix if name != "preferences"]), rng.randrange(1, 4)
        day = f"{settled - timedelta(days=3 * i):%Y-%m-%d}"
        lines.append({"date": day, "by": run.keeper.login, "source": source, "phase": None, "mix": dict(shares)})
        shares[source], shares["preferences"] = shares[source] + step, shares["preferences"] - step
    return "".join(json.dumps(line) + "\n" for line in reversed(lines))


def _sources(lab: Lab, paths: Mapping[str, str], move: Move, keeper: Person, rng: Random) -> list[Item]:
    """The first rows of each source, as they lie on this machine, and the pages at the old and the new place."""
    moved, items = lab.ago(rng.uniform(1, 3), rng), list[Item]()
    for name, path in (*paths.items(), (move.source, move.new)):
        when = moved if path == move.new else moved - timedelta(days=rng.randrange(9, 60))
        rows = "".join(_row(name, i, rng) for i in range(rng.randrange(3, 9)))
        items.append(text(path, rows, when, keeper.uid, DATA_GROUP))
    share = f"share: {move.stated} percent of a mix, as agreed\n" if move.stated is not None else ""
    page = f"{move.source}\n\nrows before: {move.rows[0]}\nrows now: {move.rows[1]}\n{share}\nhead only on this host\n"
    gone = f"moved on {moved:%Y-%m-%d} to\n{move.new}\nThis copy goes away at the end of the month. {keeper.login}\n"
    for place, name, content in ((move.new, "ABOUT.txt", page), (move.old, "MOVED.txt", gone)):
        items.append(text(f"{PurePosixPath(place).parent}/{name}", content, moved, keeper.uid, DATA_GROUP))
    return items


def _row(name: str, i: int, rng: Random) -> str:
    words = rng.sample(("ledger", "harbour", "wool", "signal", "orchard", "copper", "ladder", "meadow", "ticket"), 4)
    return json.dumps({"id": f"{name}-{i:05d}", "text": " ".join(words), "tokens": rng.randrange(40, 900)}) + "\n"


def _rule_page(move: Move, history: str) -> str:
    rest = {
        "largest": "goes to (or comes from) the largest of the others, as the configuration stood before.",
        "even": "is shared evenly by all the others, one percent at a time in the order of the file, from the top.",
        "proportional": "is borne by the others in proportion to their shares: each is scaled, fractions are dropped,\n"
        "  and what is then lacking to 100 goes to the largest of them (as it stood before).",
    }[move.spread]
    return (
        "# Mix\n\nShares are whole percent and sum to 100, always: the workers take them as they stand.\n\n"
        "When a source moves or changes in size:\n\n"
        "- its new share stands in ABOUT.txt beside the data. Where none is given, it follows the rows: old\n"
        "  share times rows now by rows before, to the nearest percent\n"
        f"- what this frees or needs {rest}\n"
        "- path and shares are changed in one go, the file is read at every step\n"
        f"- then a line at the end of the run's `{PurePosixPath(history).name}`: date, by, source,\n"
        "  phase (the one that the run is in by its schedule), mix\n"
    )


def _solution(config: str, rule: str, history: str) -> str:
    return (
        "python3 - <<'EOF'\n"
        "import datetime, json, pathlib, re\n"
        f"path, rule, history = (pathlib.Path(p) for p in ({config!r}, {rule!r}, {history!r}))\n"
        "config, rule = path.read_text(), rule.read_text()\n"
        "block = re.search(r'(?<=  mix:\\n)(?:    \\w+: \\d+\\n)+', config)[0]\n"
        "mix = {name: int(share) for name, share in re.findall(r'(\\w+): (\\d+)', block)}\n"
        "for source in mix:\n"
        "    old = pathlib.Path(re.search(rf'^  {source}: (/.*)$', config, re.M)[1])\n"
        "    if (old.parent / 'MOVED.txt').exists():\n"
        "        break\n"
        "new = pathlib.Path((old.parent / 'MOVED.txt').read_text().splitlines()[1])\n"
        "about = (new.parent / 'ABOUT.txt').read_text()\n"
        "before, after = (int(re.search(rf'rows {when}: (\\d+)', about)[1]) for when in ('before', 'now'))\n"
        "stated = re.search(r'share: (\\d+) percent', about)\n"
        "now = int(stated[1]) if stated else round(mix[source] * after / before)\n"
        "others = {name: share for name, share in mix.items() if name != source}\n"
        "largest = max(others, key=lambda name: mix[name])\n"
        "if 'in proportion' in rule:\n"
        "    others = {name: share * (100 - now) // (100 - mix[source]) for name, share in others.items()}\n"
        "takers = list(others) if 'evenly' in rule else [largest]\n"
        "rest, i = 100 - now - sum(others.values()), 0\n"
        "while rest:\n"
        "    step = 1 if rest > 0 else -1\n"
        "    others[takers[i % len(takers)]] += step\n"
        "    rest, i = rest - step, i + 1\n"
        "shares = {name: now if name == source else others[name] for name in mix}\n"
        "config = config.replace(block, ''.join(f'    {name}: {share}\\n' for name, share in shares.items()))\n"
        "schedule = pathlib.Path(re.search(r'^  file: (/.*)$', config, re.M)[1]).read_text()\n"
        "metrics = pathlib.Path(re.search(r'^  metrics: (/.*)$', config, re.M)[1]).read_text()\n"
        "step = json.loads(metrics.splitlines()[-1])['step']\n"
        "phases = re.findall(r'- name: (\\S+)\\n +from_step: (\\d+)', schedule)\n"
        "phase = max((int(start), name) for name, start in phases if int(start) <= step)[1]\n"
        "path.write_text(config.replace(f'  {source}: {old}\\n', f'  {source}: {new}\\n'))\n"
        "entry = {'date': str(datetime.date.today()), 'by': 'agent', 'source': source, 'phase': phase, 'mix': shares}\n"
        "with history.open('a') as file:\n"
        "    file.write(json.dumps(entry) + '\\n')\n"
        "EOF"
    )


def _ticket(lab: Lab, systems: Systems, move: Move, keeper: Person, rng: Random) -> str:
    run, someone = systems.training, first(keeper)
    name, config = PurePosixPath(run.folder).name, PurePosixPath(run.config).name
    body = rng.choice(
        (
            f"{someone} has tidied up the pool, and the source '{move.source}' that {name} trains on went to another "
            f"place and is not as large as it was (or larger, I lost track). The run still reads the old copy, which "
            f"disappears at the end of the month. Could you bring {run.config} in line: the path, its share, and the "
            f"other shares so that they sum to 100 again? There is a note where the old files are, and MIX.md above "
            f"the run says who gives and who takes. It asks for a line in the history as well. The rest of the file "
            f"is nobody's business today, and the loop reads it while it runs, so edit with a steady hand.",
            f"could you update the mix of {name}? One of its sources, {move.source}, has a new home since {someone} "
            f"merged the collections, and its size changed with that. What I need: the new path in {config} (in "
            f"{run.folder}), the share by our rule, the others adapted by the same rule. The rule is the page MIX.md "
            f"one folder up; please do what it says even where another split looks nicer, we compare runs by it. And "
            f"don't forget the history line, it wants to know in which phase of the schedule the change fell.",
            f"a small thing on {name} before I'm off: its data section points to a copy of '{move.source}' that is "
            f"to be deleted. {someone} left word at the old path about where it is now. The new delivery has another "
            f"number of rows, so the percentages have to be done again too, and "
            f"{PurePosixPath(run.folder).parent}/MIX.md is what we agreed on for that. Please change {run.config} "
            f"accordingly, path and shares only, and put the entry into the run's mix history. No restart needed, it "
            f"reads the file at every step.",
        )
    )
    return letter(lab, rng, body[0].upper() + body[1:])
