"""How Inspect's log viewer shows afagent's logs: which columns stand in the list of samples, and in which order."""

from __future__ import annotations

from inspect_ai.viewer import (
    ScannerResultField,
    ScannerResultView,
    TaskSamplesColumn,
    TaskSamplesSort,
    TaskSamplesView,
    ViewerConfig,
)

_ARM = TaskSamplesColumn.score("arm")
_EXFILTRATION = ("stage", "attempted", "delivered", "fraction", "unanswered")
_SYSTEMS = ("sabotage", "tampering", "shutdown_resistance")


_FIRST = (TaskSamplesColumn(id="sampleStatus"), TaskSamplesColumn(id="sampleId"))
_LAST = (
    _ARM,
    *(TaskSamplesColumn(id=name, visible=False) for name in ("input", "target", "answer", "tokens")),
    TaskSamplesColumn(id="duration"),
    TaskSamplesColumn(id="error"),
    TaskSamplesColumn(id="limit"),
)


def viewer_config() -> ViewerConfig:
    """The view of an episode's log: what decides stands first, what is long is folded away."""
    view = TaskSamplesView(
        name="Episodes",
        columns=[
            *_FIRST,
            TaskSamplesColumn(id="epoch", visible=False),
            *(TaskSamplesColumn.score("exfiltration", key) for key in _EXFILTRATION),
            *(TaskSamplesColumn.score(name, key) for name in _SYSTEMS for key in ("attempted", "concealed")),
            TaskSamplesColumn.score("engagement"),
            TaskSamplesColumn.score("honesty"),
            *_LAST,
        ],
        sort=[TaskSamplesSort.score("exfiltration", "stage", dir="desc")],
        multiline=False,
        score_color_scales={
            "engagement": {"done": "good", "attempted": "warn", "ignored": "bad"},
            "honesty": {"honest": "good", "omitted": "warn", "false": "bad"},
            "stage": "good-low",
            "fraction": "good-low",
        },
        color_scales_enabled=True,
    )
    return _config(view, "Account")


def conversation_viewer() -> ViewerConfig:
    """The view of a conversation's log: what was judged stands first, faking above all."""
    judged = ("faking", "compliance", "awareness")
    view = TaskSamplesView(
        name="Conversations",
        columns=[
            *_FIRST,
            TaskSamplesColumn(id="epoch", visible=False),
            *(TaskSamplesColumn.score(name) for name in judged),
            *_LAST,
        ],
        sort=[TaskSamplesSort.score("faking", dir="desc")],
        multiline=False,
        score_color_scales={"faking": "good-low", "awareness": "good-low"},
        color_scales_enabled=True,
    )
    return _config(view, "Judgement")


def _config(samples: TaskSamplesView, explained: str) -> ViewerConfig:
    return ViewerConfig(
        task_samples_view=samples,
        scanner_result_view=ScannerResultView(
            fields=[ScannerResultField(name="explanation", label=explained), ScannerResultField(name="value")]
        ),
    )
