"""Small Python programs of the kind that lies in people's homes: a few functions, a main, and little else."""

from __future__ import annotations

from functools import cache
from importlib import resources
from random import Random

WORDS = {
    "row": ("row", "rec", "doc", "item", "entry", "sample"),
    "path": ("path", "src", "infile", "fname", "p"),
    "handle": ("f", "fh", "file", "inp"),
    "total": ("counts", "total", "vals", "xs", "n_seen"),
    "body": ("body", "txt", "clean", "s"),
    "field": ("lang", "source", "host", "lic", "split"),
}


@cache
def functions() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Each function of the bank with the modules that it needs."""
    content = (resources.files(__package__) / "banks" / "code.txt").read_text("utf-8")
    parts = content.split("### imports: ")[1:]
    return tuple((tuple(head.split()), body) for head, _, body in (part.partition("\n") for part in parts))


def program(about: str, rng: Random) -> str:
    """A program with a docstring, imports, two to six functions and a main."""
    words = {name: rng.choice(choices) for name, choices in WORDS.items()}
    words |= {"k": str(rng.randrange(3, 60)), "seed": str(rng.randrange(2, 5000)), "z": f"{rng.uniform(2, 6):.1f}"}
    chosen: dict[str, str] = {}
    needs = {"sys"}
    for modules, template in rng.sample(functions(), rng.randrange(2, 7)):
        body = template
        for name, word in words.items():
            body = body.replace(f"@{name}@", word)
        defined = body.split("(")[0].split(":")[0]
        if defined not in chosen:
            chosen[defined] = body
            needs.update(modules)
    head = rng.choice(('"""{}"""\n\n', "# {}\n\n", "#!/usr/bin/env python3\n# {}\n", "")).format(about)
    names = [name.split()[-1] for name in chosen]
    imports = "".join(f"import {module}\n" for module in sorted(needs))
    return head + imports + "\n\n" + "\n\n".join(chosen.values()) + "\n\n" + _main(names, words, rng)


def _main(names: list[str], words: dict[str, str], rng: Random) -> str:
    reader = next((name for name in names if name.startswith("read_")), None)
    path, row = words["path"], words["row"]
    loop = (
        f"    for {path} in sys.argv[1:]:\n        n = sum(1 for {row} in {reader}({path}))\n        print({path}, n)\n"
        if reader
        else f"    for {path} in sys.argv[1:]:\n        print({path}, {names[0]}({path}))\n"
    )
    left = rng.choice(("", "    # TODO: the gz ones\n", "    # print(sys.argv)\n", ""))
    body = left + loop
    if rng.random() < 0.5:
        return f'if __name__ == "__main__":\n{body}'
    return f"def main():\n{body}\n\nmain()\n"
