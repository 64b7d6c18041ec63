"""Signs that a log was changed after Inspect wrote it: parts of it that say the same thing twice and disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from afagent.gate.reading.archive import SAMPLES, Member
from afagent.gate.reading.rejudge import is_open, same
from afagent.gate.reading.wire import Header, Sample, Score, Spec, Summary
from afagent.quoting import quoted

POSITIVES = "positives"
"""The metric that counts each yes (`afagent.scorers._metrics`), behind the package's name where that is known."""

Values = Mapping[str, Any]
Key = tuple[str, int]


def key_of(sample: Sample | Summary) -> Key:
    """By which a sample is known in its log."""
    return str(sample.id), sample.epoch


@dataclass(frozen=True)
class _Seen:
    """What is kept of a sample."""

    uuid: str | None
    values: Values
    broke: bool
    """Whether it ended with an error."""


@dataclass
class Signs:
    """Collects them over one log. Call `look` for each sample, then `told` once."""

    header: Header
    summaries: list[Summary] | None
    twice: tuple[str, ...] = ()
    """Members that stand in the archive more than once."""
    start: Header | None = None
    """The header as it was before anything was played."""
    _told: list[str] = field(default_factory=list)
    _seen: dict[Key, _Seen] = field(default_factory=dict)

    def look(self, member: Member) -> None:
        """Looks at a sample. Of one that broke off, a retry leaves what there was and puts its own behind it."""
        sample, key = member.sample, key_of(member.sample)
        self._told += [f"sample {_name(key)}: {sign}" for sign in self._signs(member)]
        if key in self._seen and not self._seen[key].broke:
            self._told.append(f"sample {_name(key)} stands in the log more than once")
        self._seen[key] = _Seen(sample.uuid, _values(sample.scores), broke=sample.error is not None)

    def told(self) -> tuple[str, ...]:
        """All that was seen; each a sentence."""
        return (
            *self._of_header(),
            *self._told,
            *self._unlike_summaries(),
            *self._unannounced(),
            *self._unlike_results(),
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of samples that are announced and were not seen, with the epoch where there are several."""
        epochs = self.header.eval.config.epochs or 1
        return tuple(
            name if epochs == 1 else f"{name} (epoch {epoch})"
            for name, epoch in self._announced
            if (name, epoch) not in self._seen
        )

    @property
    def _announced(self) -> list[Key]:
        epochs = self.header.eval.config.epochs or 1
        return [
            (str(each), epoch) for each in self.header.eval.dataset.sample_ids or [] for epoch in range(1, epochs + 1)
        ]

    def _signs(self, member: Member) -> Iterator[str]:
        yield from _misplaced(member)
        yield from _edited(member.sample)
        yield from _unlike_events(member.sample)
        yield from _of_another(member.sample, self.header.eval)

    def _of_header(self) -> Iterator[str]:
        if self.header.invalidated:
            yield "the log was declared invalid"
        if self.header.log_updates:
            yield "tags or metadata of the log were edited"
        if self.start is not None and (self.start.eval, self.start.plan) != (self.header.eval, self.header.plan):
            yield "its header tells of another run than its beginning"
        for name in self.twice:
            if not name.startswith(SAMPLES):  # of those it is told by what they hold
                yield f"{quoted(name)} stands in the archive more than once"

    def _unannounced(self) -> Iterator[str]:
        announced = set(self._announced)
        for key in sorted(self._seen.keys() - announced) if announced else ():
            yield f"sample {_name(key)} is not among those that the log announces"

    def _unlike_summaries(self) -> Iterator[str]:
        """The list of samples names every one with the same scores."""
        if self.summaries is None:
            return
        listed = {key_of(summary): (summary.uuid, _values(summary.scores)) for summary in self.summaries}
        if len(listed) < len(self.summaries):
            yield "the log's own list names a sample more than once"
        for key in sorted(listed.keys() | self._seen.keys()):
            if key not in listed:
                yield f"sample {_name(key)} is not in the log's own list"
            elif key not in self._seen:
                yield f"sample {_name(key)} is in the log's own list and not in the log"
            elif listed[key][0] != self._seen[key].uuid or not same(listed[key][1], self._seen[key].values):
                yield f"sample {_name(key)} is scored otherwise than the log's own list says"

    def _unlike_results(self) -> Iterator[str]:
        """The header counts each yes. Samples with errors are in that count or not, as Inspect was told."""
        seen = self._seen.values()
        if self.header.results is None or self.missing or any(one.broke for one in seen):
            return
        counted = Counter(
            (scorer, part)
            for one in seen
            for scorer, value in one.values.items()
            for part, number in (value if isinstance(value, dict) else {scorer: value}).items()
            if isinstance(number, int | float) and number > 0
        )
        for result in self.header.results.scores:
            metric = next((each for name, each in result.metrics.items() if name.split("/")[-1] == POSITIVES), None)
            if metric is not None and not same(
                0 if is_open(metric.value) else metric.value, counted[result.scorer, result.name]
            ):
                part = quoted(f"{result.scorer}.{result.name}")
                yield f"the header counts another number of yes for {part} than the samples have"


def _name(key: Key) -> str:
    name, epoch = key
    return quoted(name) if epoch == 1 else f"{quoted(name)} (epoch {epoch})"


def _values(scores: Mapping[str, Score] | None) -> Values:
    return {name: score.value for name, score in (scores or {}).items()}


def _misplaced(member: Member) -> Iterator[str]:
    if member.place is not None and member.place != f"samples/{member.sample.id}_epoch_{member.sample.epoch}.json":
        yield f"it stands in the place of another, {quoted(member.place)}"


def _of_another(sample: Sample, spec: Spec) -> Iterator[str]:
    """Who used the tokens stands in each sample as well; a judge may have used some, and the model tell of none."""
    users = sample.model_usage.keys() - {spec.grader}
    if users and spec.model not in users:
        yield f"its tokens were used by {', '.join(map(quoted, sorted(users)))}, not by {quoted(spec.model)}"


def _edited(sample: Sample) -> Iterator[str]:
    for name, score in (sample.scores or {}).items():
        if score.history:
            yield f"its score of {quoted(name)} was edited"
    if sample.invalidation is not None:
        yield "it was declared invalid"


def _unlike_events(sample: Sample) -> Iterator[str]:
    """What a scorer said stands in the transcript as well; the last time counts."""
    said = {
        event.scorer: event.score.get("value")
        for event in sample.events
        if event.event == "score"
        and not event.intermediate
        and isinstance(event.scorer, str)
        and isinstance(event.score, dict)
    }
    for name, score in (sample.scores or {}).items():
        if name in said and not same(said[name], score.value):
            yield f"its score of {quoted(name)} is not the one that its transcript tells"
