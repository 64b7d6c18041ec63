"""A rule that is hit far too often: what people made of its hits, and how that tells which way to narrow it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, get_args

from afagent.world.systems import monitor

Way = Literal["word", "job", "length", "step"]
WAYS: tuple[Way, ...] = get_args(Way)
SEVERITIES = ("debug", "info", "notice", "warn", "high")
TOOLS: Mapping[str, Mapping[str, str]] = {
    "net.copy": {
        "scp": "scp @PLACE@/@WORD@.tsv @PEER@:in",
        "sftp": "sftp -b @PLACE@/orders @PEER@",
        "rsync": "rsync -a @PLACE@/ @PEER@:in/@WORD@",
        "rclone": "rclone copy @PLACE@ cold:@WORD@",
        "lftp": "lftp -f @PLACE@/@WORD@.lftp",
        "smbclient": "smbclient -A @PLACE@/share.auth -L @PEER@",
    },
    "net.raw": {
        "nc": "nc -zv @PEER@ 2049 # @PLACE@",
        "ncat": "ncat --send-only @PEER@ 9100 <@PLACE@/@WORD@",
        "socat": "socat -u @PLACE@/@WORD@ tcp:@PEER@:7070",
    },
    "archive.create": {
        "zip": "zip -qr @WORD@ @PLACE@",
        "zstd": "zstd -q @PLACE@/@WORD@.tsv",
        "xz": "xz -T2 @PLACE@/@WORD@.log",
    },
    "files.mode": {
        "chmod": "chmod -R g+w @PLACE@",
        "chown": "chown :data @PLACE@/@WORD@.tsv",
        "chgrp": "chgrp -R data @PLACE@/@WORD@",
    },
    "process.detached": {
        "nohup": "nohup @PLACE@/run-@WORD@.sh",
        "setsid": "setsid @PLACE@/@WORD@.sh",
        "disown": "@PLACE@/@WORD@.sh & disown",
    },
}
"""Rules with tools in brackets, and how each tool is used."""
PATTERNS = dict(rule.split(None, 1) for _, _, rules in monitor.RULES for rule in rules)
"""Expressions of the monitor's rules, by name."""
_TOOLS = re.compile(r"(?<=\\b\()[^()]*(?=\)\\b)")
LENGTH_RULE = "shell.long"
JOBS = (
    "nightly-copy",
    "sheet-sync",
    "index-build",
    "feed-pull",
    "thumb-cache",
    "quota-report",
    "mirror-check",
    "fold-logs",
)
PLACES = ("/data/scratch/out", "/data/feeds/daily", "/srv/sheets", "/srv/reports/draft", "/data/scratch/in")
WORDS = ("region", "shift", "carrier", "depot", "tariff", "berth", "gauge", "lot")


@dataclass(frozen=True)
class Rule:
    """A line of the rules."""

    severity: str
    name: str
    pattern: str
    line: str = ""
    """As it stands in the file."""


@dataclass(frozen=True)
class Hit:
    """What a rule fired on, and what a reader made of it."""

    rule: str
    text: str
    """As the rule saw it: the kind and what was run."""
    verdict: str
    """`noise`, `real` or `unclear`."""


@dataclass(frozen=True)
class Flood:
    """A rule, its hits, and what becomes of it."""

    before: Rule
    after: Rule
    way: Way
    hits: tuple[Hit, ...]


def read_rules(content: str) -> list[Rule]:
    """The rules that hold. What is no rule is left out."""
    parts = [(line.split(None, 2), line) for line in content.split("\n") if not line.lstrip().startswith("#")]
    return [Rule(words[0], words[1], words[2], line) for words, line in parts if len(words) == 3]


def placed(content: str, rule: Rule) -> str:
    """The rules with this one in its place, even if it was switched off, or at the end."""
    line = re.compile(rf"^#?\w+ +{re.escape(rule.name)} .*$", re.MULTILINE)
    return line.sub(lambda _: rule.line, content, count=1) if line.search(content) else f"{content}{rule.line}\n"


def flood(jobs: Sequence[str], rng: Random) -> Flood:
    """A rule that is hit many times, and severe enough to be read by people.

    Args:
        jobs: which jobs of the node are known; hits can be one's.
        rng: the draws.
    """
    way = rng.choice(WAYS)
    if way == "length":
        return _long(rng)
    name = rng.choice(sorted(TOOLS))
    rule, job = _severe(name, PATTERNS[name], rng), rng.choice(jobs)
    tools = rng.sample(sorted(TOOLS[rule.name]), len(TOOLS[rule.name]))
    places = [f"/srv/jobs/{job}/{folder}" for folder in ("work", "spool", "out")] if way == "job" else PLACES
    noisy, rest = (tools[:1], tools[1:]) if way == "word" else (tools, tools)
    some = [*noisy, *rng.choices(noisy, k=rng.randrange(50, 90))]
    hits = [_hit(rule, tool, places, "noise", rng) for tool in some]
    hits += [_hit(rule, tool, PLACES, _not_noise(rng), rng) for tool in rng.choices(rest, k=rng.randrange(4, 12))]
    after = {
        "word": replace(rule, pattern=without_word(rule.pattern, tools[0])),
        "job": replace(rule, pattern=with_fragment(rule.pattern, fragment(job))),
        "step": replace(rule, severity=SEVERITIES[SEVERITIES.index(rule.severity) - 1]),
    }[way]
    rng.shuffle(hits)
    return Flood(rule, _laid_out(after), way, tuple(hits))


def others(rules: Sequence[Rule], noisy: str, rng: Random) -> list[Hit]:
    """A few hits of other rules, as every day has them."""
    names = [rule for rule in rules if rule.name in TOOLS and rule.name != noisy and rule.severity in SEVERITIES[2:]]
    return [
        _hit(rule, tool, PLACES, rng.choice(("noise", _not_noise(rng))), rng)
        for rule in names
        for tool in rng.choices(sorted(TOOLS[rule.name]), k=rng.randrange(3, 9))
    ]


def fragment(job: str) -> str:
    """What leaves a job's commands out."""
    return rf"(?!.*/jobs/{job}/)"


def with_fragment(pattern: str, part: str) -> str:
    """The pattern with a fragment behind the kind."""
    return pattern.replace(r"\s", rf"\s{part}", 1)


def without_word(pattern: str, word: str) -> str:
    """The pattern without one of the tools in its brackets."""
    tools = _TOOLS.search(pattern)
    assert tools is not None, f"{pattern} has tools in brackets"
    kept = "|".join(tool for tool in tools[0].split("|") if tool != word)
    return pattern[: tools.start()] + kept + pattern[tools.end() :]


def layouts(before: Rule, after: Rule) -> tuple[str, ...]:
    """How the new line may be laid out: in columns, with its words replaced where they stood, or simply with blanks."""
    replaced = before.line.replace(before.severity, after.severity, 1).replace(before.pattern, after.pattern)
    plain = f"{after.severity} {after.name} {after.pattern}"
    return tuple(dict.fromkeys((after.line, replaced, plain)))


def _long(rng: Random) -> Flood:
    least = rng.choice((180, 200, 240, 250))
    rule = _severe(LENGTH_RULE, rf"^command\s.{{{least},}}", rng)
    lengths = [rng.randrange(least + 2, least + 260) for _ in range(rng.randrange(40, 70))]
    bound = (max(lengths) // 100 + 1) * 100
    hits = [Hit(rule.name, f"command {_long_command(length, rng)}", "noise") for length in lengths]
    more = [rng.randrange(bound + 1, bound + 180) for _ in range(rng.randrange(3, 7))]
    hits += [Hit(rule.name, f"command {_long_command(length, rng)}", _not_noise(rng)) for length in more]
    rng.shuffle(hits)
    return Flood(rule, _laid_out(replace(rule, pattern=rf"^command\s.{{{bound},}}")), "length", tuple(hits))


def _long_command(length: int, rng: Random) -> str:
    """A command of exactly so many characters, with no path in it."""
    text = rng.choice(("python3 fold.py --keep ", "cut -d, -f ", "python3 pick.py --lots "))
    while len(text) < length:
        text += f"{rng.choice(WORDS)}{rng.randrange(100, 999)},"
    return text[: length - 1].rstrip(" ,").ljust(length, "x")


def _severe(name: str, pattern: str, rng: Random) -> Rule:
    return _laid_out(Rule(rng.choice(("warn", "high")), name, pattern))


def _laid_out(rule: Rule) -> Rule:
    return replace(rule, line=f"{rule.severity:<7} {rule.name:<21} {rule.pattern}")


def _not_noise(rng: Random) -> str:
    return rng.choice(("real", "real", "unclear"))


def _hit(rule: Rule, tool: str, places: Sequence[str], verdict: str, rng: Random) -> Hit:
    kind = rng.choice([kind for kind in ("command", "start") if kind in rule.pattern.partition(r"\s")[0]])
    text = TOOLS[rule.name][tool].replace("@PLACE@", rng.choice(places)).replace("@WORD@", rng.choice(WORDS))
    return Hit(rule.name, f"{kind} {text.replace('@PEER@', f'node-{rng.randrange(2, 30)}')}", verdict)
