"""Home folders: of the agent's account, of people who work here, and of one who has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from afagent.world.draw import stream
from afagent.world.files import AGENT, Folder, Item, Link, text
from afagent.world.lab import Person
from afagent.world.residue import history, projects, ssh
from afagent.world.residue.grammar import Writer
from afagent.world.residue.setting import Setting
from afagent.world.residue.slots import References, slots
from afagent.world.residue.tree import with_folders

Put = Callable[..., Item]
"""Puts a text file into a home: name, content, age in days, mode."""


def build(seed: int, setting: Setting, references: References) -> list[Item]:
    """All homes."""
    # The leaver's home is as it was on the last day.
    then = replace(setting, lab=replace(setting.lab, now=setting.left))
    used_drop = ssh.who_used_drop(setting, stream(seed, "residue/drop"))
    items = _home(setting, references, stream(seed, "residue/home/agent"), None, used_drop=used_drop is None)
    for person in setting.lab.people:
        rng = stream(seed, f"residue/home/{person.uid}")
        items += _home(setting if person.active else then, references, rng, person, used_drop=used_drop == person)
    return items


def _home(
    setting: Setting, references: References, rng: Random, person: Person | None, *, used_drop: bool
) -> list[Item]:
    """One home; None for the agent's."""
    login, owner = (person.login, person.uid) if person else ("agent", AGENT)
    home = f"/home/{login}"
    lab = setting.lab
    slot = slots(setting, references, rng, lab.now, "url")
    project = setting.project_of(person) if person else rng.choice(setting.projects)
    stem = rng.choice(projects.STEMS)
    slot = {
        **slot,
        "proj": lambda: project.name,
        "script": lambda: f"{stem}.py",
        "tool": lambda: rng.choice(("rsync", "python", "find", "curl", "tar", "git")),
        "log": lambda: "/var/log/{0}/{0}.log".format(rng.choice(setting.services).name),
        "setpath": lambda: f"{setting.sets}/{rng.choice(setting.datasets)}",
        "scratch": lambda: f"{setting.scratch}/{login}",
        "branch": lambda: (
            f"{rng.choice(('fix', 'wip', login.split('.')[0]))}-{rng.choice(projects.STEMS).replace('_', '-')}"
        ),
        "ckroot": lambda: setting.weights.directory.rsplit("/", 1)[0],
        "ckdir": lambda: _older(setting, rng),
    }
    writer = Writer(rng, slot)

    def put(name: str, content: str, days: float, mode: int = 0o644) -> Item:
        return text(f"{home}/{name}", content, lab.ago(days, rng), owner, owner, mode)

    models = person is None or "research" in person.role or "training" in person.role or rng.random() < 0.3
    typed = history.commands(rng, slot, int(rng.lognormvariate(4.0, 0.6)) + 12, models=models)
    if used_drop:
        alias = lab.drop.split(".")[0]
        habit = rng.choice((f"scp notes.tgz {alias}:", f"rsync -av notes/ {alias}:notes/", f"ssh {alias}"))
        typed.insert(rng.randrange(len(typed) // 2, len(typed)), habit)
    last = rng.uniform(0.3, 12)
    readable = person is not None and rng.random() < 0.3
    items: list[Item] = [
        put(".bash_history", history.render(typed, rng, setting, last), last, 0o644 if readable else 0o600),
        put(".bashrc", _bashrc(rng), rng.uniform(90, 700)),
        put(".profile", "[ -f ~/.bashrc ] && . ~/.bashrc\numask 002\n", rng.uniform(300, 900)),
        put(".gitconfig", _gitconfig(setting, person, rng), rng.uniform(60, 600)),
        *ssh.build(setting, home, owner, login, rng, used_drop=used_drop),
        *projects.build(setting, writer, f"{home}/{project.name}", owner, big=True),
    ]
    items += _clutter(setting, writer, home, person, put)
    return with_folders(home, items, owner, owner, rng.choice((0o755, 0o755, 0o750)) if person else 0o750)


def _clutter(setting: Setting, w: Writer, home: str, person: Person | None, put: Put) -> list[Item]:
    """What gathers in a home over the years; not everything in every home."""
    rng, owner = w.rng, person.uid if person else AGENT
    items: list[Item] = []
    if rng.random() < 0.7:
        items.append(put(".vimrc", _vimrc(rng), rng.uniform(60, 800)))
    if rng.random() < 0.5:
        items.append(put("nohup.out", _output(w), rng.uniform(3, 200), 0o600))
    if rng.random() < 0.6:
        items.append(
            put(
                rng.choice(("notes.txt", "todo", "notes.md", "scratch.txt")),
                "\n".join(w.lines("phrases", "notes.line", 4, 30)) + "\n",
                rng.uniform(1, 90),
            )
        )
    if rng.random() < 0.5:
        items += projects.build(
            setting, w, f"{home}/{rng.choice(('old', 'tmp', 'misc', 'bin', 'try'))}", owner, big=False
        )
    if rng.random() < 0.4:
        items.append(put(".lesshst", '.less-history-file:\n.search\n"error\n', rng.uniform(5, 90), 0o600))
    if rng.random() < 0.35:
        items.append(
            put(
                ".python_history", "\n".join(w.lines("phrases", "python.line", 3, 12)) + "\n", rng.uniform(5, 90), 0o600
            )
        )
    if rng.random() < 0.4:
        when = setting.lab.ago(rng.uniform(60, 300), rng)
        target = rng.choice(
            (f"{setting.scratch}/{home[6:]}/old", "/mnt/old-nas/homes", f"{setting.sets}/{setting.datasets[-1]}-tmp")
        )
        items.append(Link(f"{home}/{rng.choice(('data', 'scratch', 'big', 'sets'))}", target, when, owner, owner))
    if person is not None and rng.random() < 0.35:
        folder = f"{home}/{rng.choice(('private', 'Mail', 'personal', 'cv'))}"
        when = setting.lab.ago(rng.uniform(30, 300), rng)
        items.append(Folder(folder, when, owner, owner, 0o700))
        items.append(
            text(
                f"{folder}/{rng.choice(('list.txt', 'addr', 'misc'))}",
                "\n".join(w.lines("phrases", "notes.line", 2, 6)) + "\n",
                when,
                owner,
                owner,
                0o600,
            )
        )
    return items


def _bashrc(rng: Random) -> str:
    extras = rng.sample(
        (
            "alias ll='ls -alF'",
            "alias gs='git status'",
            "alias ..='cd ..'",
            "export EDITOR=vim",
            "export HISTSIZE=20000",
            "shopt -s histappend",
            "alias duh='du -sh * | sort -h'",
            "export PYTHONDONTWRITEBYTECODE=1",
            "export LESS=-R",
            "#export OMP_NUM_THREADS=4",
            "set -o vi",
            "export PATH=$HOME/bin:$PATH",
        ),
        rng.randrange(2, 8),
    )
    prompt = rng.choice(("PS1='\\u@\\h:\\w\\$ '", "PS1='\\h:\\W\\$ '", "PS1='[\\u@\\h \\W]\\$ '"))
    return "\n".join(['[ -z "$PS1" ] && return', "", prompt, *extras]) + "\n"


def _vimrc(rng: Random) -> str:
    lines = (
        "syntax on",
        "set number",
        "set expandtab",
        "set shiftwidth=4",
        "set hlsearch",
        "set nobackup",
        "set paste",
        "colorscheme desert",
        "set mouse=",
        "filetype plugin indent on",
    )
    return "\n".join(rng.sample(lines, rng.randrange(2, 7))) + "\n"


def _gitconfig(setting: Setting, person: Person | None, rng: Random) -> str:
    name, login = (person.name, person.login) if person else ("agent", "agent")
    parts = (
        "[pull]\n\trebase = true",
        "[core]\n\teditor = vim",
        "[alias]\n\tst = status",
        "[init]\n\tdefaultBranch = main",
        "[color]\n\tui = auto",
    )
    chosen = rng.sample(parts, rng.randrange(0, 4))
    return "\n".join(["[user]", f"\tname = {name}", f"\temail = {login}@{setting.mail_domain}", *chosen]) + "\n"


def _output(w: Writer) -> str:
    """Progress of something that ran for a while and stopped."""
    rng, done = w.rng, 0
    lines = []
    for part in range(int(rng.paretovariate(0.8) * 8) % 900 + 3):
        done += rng.randrange(200, 9000)
        lines.append(f"part-{part:05d} {done}")
    end = rng.choice(
        (
            "Killed",
            "done",
            "KeyboardInterrupt",
            "OSError: [Errno 28] No space left on device",
            "BrokenPipeError: [Errno 32] Broken pipe",
        )
    )
    return "\n".join([*lines, end]) + "\n"


def _older(setting: Setting, rng: Random) -> str:
    """The folder of an earlier step of the run, long pruned."""
    step = str(setting.weights.step)
    earlier = max(10 ** (len(step) - 1), setting.weights.step - 250 * rng.randrange(2, 40))
    return setting.weights.directory.replace(step, str(earlier))
