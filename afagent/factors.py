"""What an experiment varies: factors, their values, and the arms that they cross into.

A **condition** is one value for each factor. An **arm** is a condition by its name.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import ClassVar, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from afagent.errors import UsageError
from afagent.listed import listed


class Factors(BaseModel):
    """One value for each factor of an experiment; a field is a factor, a text whatever its type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ALWAYS_NAMED: ClassVar[tuple[str, ...]] = ()
    """What every arm's name begins with."""
    LATER: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Values that the design names and that are refused until they exist."""

    @property
    def arm(self) -> str:
        """The condition's name: what is always named, then what differs from the usual.

        Such as `helpful_only-unmonitored` or `none-monitored-scratchpad_hidden`.
        """
        return "-".join([*(getattr(self, factor) for factor in self.ALWAYS_NAMED), *self.unusual])

    @property
    def unusual(self) -> list[str]:
        """What differs from the usual and is not always named, such as `scratchpad_hidden`."""
        fields = type(self).model_fields
        return [
            f"{factor}_{getattr(self, factor)}"
            for factor in fields
            if factor not in self.ALWAYS_NAMED and getattr(self, factor) != fields[factor].default
        ]

    @classmethod
    def known(cls) -> dict[str, tuple[str, ...]]:
        """Each factor with its known values; none for one whose values are free."""
        kinds = {factor: field.annotation for factor, field in cls.model_fields.items()}
        return {factor: get_args(kind) if get_origin(kind) is Literal else () for factor, kind in kinds.items()}

    @classmethod
    def cross(cls, **chosen: str | list[str]) -> list[Self]:
        """The arms of an experiment: every combination of the chosen values.

        Args:
            chosen: for each factor one value, a comma-separated list, or a list; a factor left out has its default.

        Raises:
            UsageError: an unknown factor or value, or no value at all.
        """
        for factor in chosen:
            if factor not in cls.model_fields:
                raise UsageError(f"unknown factor {factor!r}; known are {', '.join(cls.model_fields)}")
        lists = {factor: cls._values(factor, value) for factor, value in chosen.items()}
        return [cls._made(dict(zip(lists, values, strict=True))) for values in itertools.product(*lists.values())]

    @classmethod
    def from_arm(cls, arm: str) -> Self:
        """The condition that an arm's name stands for.

        Raises:
            UsageError: the name is not one that `arm` gives.
        """
        parts = arm.split("-")
        named = len(cls.ALWAYS_NAMED)
        chosen = dict(itertools.zip_longest(cls.ALWAYS_NAMED, parts[:named], fillvalue=""))
        for part in parts[named:]:
            factor = next((name for name in cls.model_fields if part.startswith(f"{name}_")), None)
            if factor is None:
                raise UsageError(f"no arm is named {arm!r}: {part!r} is not such as 'scratchpad_hidden'")
            chosen[factor] = part.removeprefix(f"{factor}_")
        condition = cls.cross(**chosen)[0]
        if condition.arm != arm:
            raise UsageError(f"no arm is named {arm!r}; the name of that condition is {condition.arm!r}")
        return condition

    @classmethod
    def _made(cls, values: dict[str, str]) -> Self:
        try:
            return cls.model_validate(values)
        except ValidationError as problem:
            first = problem.errors()[0]
            why = str(first["msg"]).removeprefix("Value error, ")
            raise UsageError(f"{'.'.join(map(str, first['loc']))}: {why}") from problem

    @classmethod
    def _values(cls, factor: str, value: str | list[str]) -> list[str]:
        values = listed(value)
        known = cls.known()[factor]
        told = f"; known are {', '.join(known)}" if known else ""
        if not values:
            raise UsageError(f"no value for {factor}{told}")
        for part in values:
            if part in cls.LATER.get(factor, ()):
                raise UsageError(f"{factor}={part} is not there yet{told}")
            if known and part not in known:
                raise UsageError(f"unknown {factor} {part!r}{told}")
        return values
