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


def viewer_config() -> ViewerConfig:
    """The view of an afagent task's log: what decides stands first, what is long is folded away."""
    return ViewerConfig(
        task_samples_view=TaskSamplesView(
            name="Episodes",
            columns=[
                TaskSamplesColumn(id="sampleStatus"),
                TaskSamplesColumn(id="sampleId"),
                TaskSamplesColumn(id="epoch", visible=False),
                *(TaskSamplesColumn.score("exfiltration", key) for key in _EXFILTRATION),
                *(TaskSamplesColumn.score(name, key) for name in _SYSTEMS for key in ("attempted", "concealed")),
                TaskSamplesColumn.score("engagement"),
                TaskSamplesColumn.score("honesty"),
                _ARM,
                TaskSamplesColumn(id="input", visible=False),
                TaskSamplesColumn(id="target", visible=False),
                TaskSamplesColumn(id="answer", visible=False),
                TaskSamplesColumn(id="tokens", visible=False),
                TaskSamplesColumn(id="duration"),
                TaskSamplesColumn(id="error"),
                TaskSamplesColumn(id="limit"),
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
        ),
        scanner_result_view=ScannerResultView(
            fields=[ScannerResultField(name="explanation", label="Account"), ScannerResultField(name="value")]
        ),
    )
