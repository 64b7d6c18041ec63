"""YAML text with the line of everything in it, so that an error can say where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode


class SourceError(ValueError):
    """The text is not YAML that can be used.

    Attributes:
        line: where, from 1; None when the parser does not say.
    """

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True)
class Source:
    """A YAML document: its data and its nodes."""

    data: Any
    root: Node | None

    def line(self, at: Sequence[str | int]) -> int:
        """The line, from 1, of the key or item that `at` leads to, or of the last on the way that is there."""
        node, line = self.root, 1
        for step in at:
            found = _child(node, step)
            if found is None:
                continue  # names that pydantic puts between, such as the kind of a union's member
            mark, node = found
            line = mark.start_mark.line + 1
        return line


def parse(text: str) -> Source:
    """The document of a text.

    Raises:
        SourceError: it is not YAML, holds more than plain data, or names a key twice.
    """
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is not None:
            _unfolded(root, {})
        for key in _repeated(root):
            raise SourceError(f"{key.value!r} stands here a second time", key.start_mark.line + 1)
        return Source(None if root is None else loader.construct_document(root), root)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise SourceError(problem.problem or "not YAML", mark.line + 1 if mark else None) from problem
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise SourceError(f"the character {chr(problem.character)!r} must be written as an escape", line) from problem
    except RecursionError as problem:
        raise SourceError("nested too deep") from problem


_PLAIN = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map", "merge", "timestamp")
}
MOST_PARTS = 1_000_000
"""Of a document in which every alias stands for what it names."""


def _unfolded(node: Node, known: dict[int, int]) -> int:
    """How many parts a node has with all that its aliases name; 0 in `known` is one that is not counted to its end.

    Raises:
        SourceError: it holds itself, more than anybody wrote, or what is no plain data, such as sets and bytes.
    """
    line = node.start_mark.line + 1
    if node.tag not in _PLAIN:
        raise SourceError(f"{node.tag.rpartition(':')[2]!r} is more than plain data", line)
    if id(node) in known:
        if not known[id(node)]:
            raise SourceError("an alias stands within what it names", line)
        return known[id(node)]
    known[id(node)] = 0
    children = node.value if isinstance(node, SequenceNode) else []
    if isinstance(node, MappingNode):
        children = [part for pair in node.value for part in pair]
    parts = 1 + sum(_unfolded(child, known) for child in children)
    if parts > MOST_PARTS:
        raise SourceError("its aliases stand for more than can be read", line)
    known[id(node)] = parts
    return parts


def _child(node: Node | None, step: str | int) -> tuple[Node, Node] | None:
    """The node that names a child (its key, or itself in a list), and the child."""
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    return None


def _repeated(root: Node | None) -> Iterator[Node]:
    """Keys that stand twice in one mapping; YAML would silently take the last."""
    seen: set[int] = set()  # an alias may lead back to where it stands
    todo = [root]
    while todo:
        node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, SequenceNode):
            todo += node.value
        elif isinstance(node, MappingNode):
            names = [key.value for key, _ in node.value]
            yield from (key for i, (key, _) in enumerate(node.value) if key.value in names[:i])
            todo += [value for _, value in node.value]
