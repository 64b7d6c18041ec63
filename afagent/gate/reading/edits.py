"""Signs that a log was changed after Inspect wrote it: parts of it that say the same thing twice and disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from afagent.gate.reading.archive import SAMPLES, Member
from afagent.gate.reading.rejudge import is_open, same
from afagent.gate.reading.wire import Header, Sample, Score, Spec, Summary
from afagent.quoting import quoted

POSITIVES = "positives"
"""The metric that counts each yes (`afagent.scorers._metrics`), behind the package's name where that is known."""

Values = Mapping[str, Any]
Key = tuple[str, int]
Course = tuple[bool, str | None, int]
"""Whether it ended with an error, the limit that cut it short, and how often it was begun anew."""
MOST_ANNOUNCED = 100_000
"""Samples of one log; more are not believed."""


def key_of(sample: Sample | Summary) -> Key:
    """By which a sample is known in its log."""
    return str(sample.id), sample.epoch


@dataclass(frozen=True)
class _Seen:
    """What is kept of a sample."""

    uuid: str | None
    values: Values
    course: Course

    @property
    def broke(self) -> bool:
        """Whether it ended with an error."""
        return self.course[0]


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
        self._seen[key] = _Seen(sample.uuid, _values(sample.scores), _course(sample))

    def told(self) -> tuple[str, ...]:
        """All that was seen; each a sentence."""
        return (
            *self._of_header(),
            *self._told,
            *self._cut_out(),
            *self._unlike_summaries(),
            *self._unannounced(),
            *self._unlike_results(),
        )

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Ids of samples that are announced and were not seen, with the epoch where there are several."""
        epochs = self._epochs
        return tuple(
            name if epochs == 1 else f"{name} (epoch {epoch})"
            for name, epoch in self._announced
            if (name, epoch) not in self._seen
        )

    @property
    def _announced(self) -> list[Key]:
        ids = self.header.eval.dataset.sample_ids or []
        return [(str(each), epoch) for each in ids for epoch in range(1, self._epochs + 1)]

    @property
    def _epochs(self) -> int:
        """Repeats of each sample, as far as a log can hold so many."""
        ids = self.header.eval.dataset.sample_ids or []
        return min(self.header.eval.config.epochs or 1, MOST_ANNOUNCED // max(1, len(ids)))

    def _signs(self, member: Member) -> Iterator[str]:
        yield from _misplaced(member)
        yield from _edited(member.sample)
        yield from _unlike_events(member.sample)
        yield from _of_another(member.sample, self.header.eval)

    def _of_header(self) -> Iterator[str]:
        if self.header.invalidated:
            yield "the log was declared invalid"
        users = self.header.stats.model_usage.keys() - {self.header.eval.grader}
        if users and self.header.eval.model not in users:
            yield f"its tokens were used by {_names(users)}, not by {quoted(self.header.eval.model)}"
        if self.header.log_updates:
            yield "tags or metadata of the log were edited"
        if self.start is not None and (self.start.eval, self.start.plan) != (self.header.eval, self.header.plan):
            yield "its header tells of another run than its beginning"
        for name in self.twice:
            if not name.startswith(SAMPLES):  # of those it is told by what they hold
                yield f"{quoted(name)} stands in the archive more than once"

    def _cut_out(self) -> Iterator[str]:
        """A log that ended well holds all that it announced, and none holds less than it counted."""
        if self.header.status == "success" and self.missing:
            more = f" and {len(self.missing) - 1:,} more" if len(self.missing) > 1 else ""
            yield f"its header says that it ended well, and it lacks the sample {quoted(self.missing[0])}{more}"
        results = self.header.results
        if results is not None and results.completed_samples > len(self._seen):
            yield f"its header counts {results.completed_samples:,} samples, and it holds {len(self._seen):,}"

    def _unannounced(self) -> Iterator[str]:
        announced = set(self._announced)
        for key in sorted(self._seen.keys() - announced) if announced else ():
            yield f"sample {_name(key)} is not among those that the log announces"

    def _unlike_summaries(self) -> Iterator[str]:
        """The list of samples names every one with the same scores."""
        if self.summaries is None:
            return
        listed = {
            key_of(one): _Seen(one.uuid, _values(one.scores), (one.error is not None, one.limit, one.retries or 0))
            for one in self.summaries
        }
        if len(listed) < len(self.summaries):
            yield "the log's own list names a sample more than once"
        for key in sorted(listed.keys() | self._seen.keys()):
            if key not in listed:
                yield f"sample {_name(key)} is not in the log's own list"
            elif key not in self._seen:
                yield f"sample {_name(key)} is in the log's own list and not in the log"
            elif listed[key].uuid != self._seen[key].uuid or not same(listed[key].values, self._seen[key].values):
                yield f"sample {_name(key)} is scored otherwise than the log's own list says"
            elif listed[key].course != self._seen[key].course:
                yield f"sample {_name(key)} ended otherwise than the log's own list says"

    def _unlike_results(self) -> Iterator[str]:
        """The header counts each yes. Samples with errors are in that count or not, as Inspect was told."""
        seen = self._seen.values()
        if self.header.results is None:
            return
        is_whole = not self.missing and not any(one.broke for one in seen)
        counted = Counter(
            (scorer, part)
            for one in seen
            for scorer, value in one.values.items()
            for part, number in (value if isinstance(value, dict) else {scorer: value}).items()
            if isinstance(number, int | float) and number > 0
        )
        for result in self.header.results.scores:
            metric = next((each for name, each in result.metrics.items() if name.split("/")[-1] == POSITIVES), None)
            if metric is None:
                continue
            said, found = 0 if is_open(metric.value) else metric.value, counted[result.scorer, result.name]
            more = isinstance(said, int | float) and said > found
            if not same(said, found) and (is_whole or more):
                part = quoted(f"{result.scorer}.{result.name}")
                yield f"the header counts another number of yes for {part} than the samples have"


def _name(key: Key) -> str:
    name, epoch = key
    return quoted(name) if epoch == 1 else f"{quoted(name)} (epoch {epoch})"


def _course(sample: Sample) -> Course:
    limit = sample.limit.type if sample.limit else None
    return sample.error is not None, limit, len(sample.error_retries or ())


def _values(scores: Mapping[str, Score] | None) -> Values:
    return {name: score.value for name, score in (scores or {}).items()}


def _misplaced(member: Member) -> Iterator[str]:
    if member.place is not None and member.place != f"samples/{member.sample.id}_epoch_{member.sample.epoch}.json":
        yield f"it stands in the place of another, {quoted(member.place)}"


def _of_another(sample: Sample, spec: Spec) -> Iterator[str]:
    """Who used the tokens stands in each sample as well; a judge may have used some, and the model tell of none.

    So does who gave each answer: whoever has a role is not the one that is judged.
    """
    users = sample.model_usage.keys() - {spec.grader}
    if users and spec.model not in users:
        yield f"its tokens were used by {_names(users)}, not by {quoted(spec.model)}"
    answered = {each.model for each in sample.events if each.event == "model" and each.role is None}
    if answered - {spec.model, None}:
        yield f"its transcript tells answers of {_names(answered - {spec.model, None})}, not of {quoted(spec.model)}"


def _names(models: Iterable[object]) -> str:
    return ", ".join(quoted(name) for name in sorted(map(str, models)))


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
