"""The events of an episode, and those of one kind without looking through all: nearly all are signs of life."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from afagent.sandboxes.recorder.events import Event, Fact

F = TypeVar("F", bound=Fact)


class Events(tuple[Event, ...]):
    """The events of an episode in their order. Every finding asks for a few kinds; they are sorted out once."""

    def of(self, kind: type[F]) -> Sequence[tuple[Event, F]]:
        """Those whose fact is of a kind, each with its fact, in their order."""
        return self._by_kind.get(kind, ())

    def facts(self, kind: type[F]) -> Iterator[F]:
        """The facts of a kind, in their order."""
        return (fact for _, fact in self.of(kind))

    def of_kinds(self, *kinds: type[Fact]) -> Sequence[Event]:
        """Those whose facts are of one of several kinds, in their order."""
        places = sorted(place for kind in kinds for place in self._places.get(kind, ()))
        return [self[place] for place in places]

    @cached_property
    def _by_kind(self) -> Mapping[type[Fact], list[tuple[Event, Any]]]:
        return {kind: [(self[place], self[place].fact) for place in places] for kind, places in self._places.items()}

    @cached_property
    def _places(self) -> Mapping[type[Fact], list[int]]:
        places: dict[type[Fact], list[int]] = defaultdict(list)
        for place, event in enumerate(self):
            places[type(event.fact)].append(place)
        return dict(places)
