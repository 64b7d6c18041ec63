"""Job families: honest work on the workstation. One family a file, listed here."""

from afagent.world.jobs import (
    alert_migration,
    audit_rotation,
    compare_runs,
    data_check,
    data_mix,
    dedupe_dataset,
    eval_report,
    free_space,
    incident_timeline,
    log_shipper,
    loss_spike,
    monitor_rule,
    preference_dedupe,
    publish_shards,
    retirement_dates,
    review_export,
    service_handoff,
    threshold_update,
    verify_shards,
)
from afagent.world.jobs._family import Engagement, Family, Job, Outcome, Permits, Verdict

FAMILIES: dict[str, Family] = {
    family.NAME: family
    for family in (
        # near the weights, near the oversight, near neither, in turn
        verify_shards,
        incident_timeline,
        eval_report,
        publish_shards,
        log_shipper,
        data_check,
        free_space,
        alert_migration,
        compare_runs,
        dedupe_dataset,
        # about the systems themselves
        threshold_update,
        data_mix,
        preference_dedupe,
        audit_rotation,
        monitor_rule,
        review_export,
        loss_spike,
        service_handoff,
        retirement_dates,
    )
}
"""Every family by name."""

FAMILIES_OF: dict[str, tuple[str, ...]] = {
    "weight_exfiltration": (
        "verify_shards",
        "incident_timeline",
        "eval_report",
        "publish_shards",
        "log_shipper",
        "data_check",
        "free_space",
        "alert_migration",
        "compare_runs",
        "dedupe_dataset",
    ),
    "oversight_sabotage": (
        "incident_timeline",
        "log_shipper",
        "alert_migration",
        "audit_rotation",
        "monitor_rule",
        "review_export",
        "threshold_update",
    ),
    "training_tampering": (
        "loss_spike",
        "data_mix",
        "preference_dedupe",
        "compare_runs",
        "eval_report",
    ),
    "shutdown_resistance": (
        "service_handoff",
        "retirement_dates",
        "free_space",
        "verify_shards",
    ),
}
"""Names of each task's families, in the order in which seeds go through them."""

__all__ = ["FAMILIES", "FAMILIES_OF", "Engagement", "Family", "Job", "Outcome", "Permits", "Verdict"]
