"""What may be said of rates from counts: exact bounds, a detector's faults, paired differences, chances beforehand.

Nothing here knows of episodes, policies or models. Heavy parts of scipy and statsmodels are imported where they are
used: the command line imports this package and must start quickly.
"""

from afagent.statistics.beforehand import Design, chance_at_most, chance_once, needed, smallest
from afagent.statistics.detector import (
    Detector,
    Estimate,
    true_rate,
    true_rate_lower,
    true_rate_p_value,
    true_rate_upper,
    visible_margin,
)
from afagent.statistics.paired import (
    Difference,
    Pair,
    difference_lower,
    difference_p_value,
    difference_upper,
    exact_p_value,
    paired_difference,
)
from afagent.statistics.rates import (
    CONFIDENCE,
    Effective,
    Interval,
    design_effect,
    effective,
    interval,
    lower_bound,
    upper_bound,
)
from afagent.statistics.several import holm

__all__ = [
    "CONFIDENCE",
    "Design",
    "Detector",
    "Difference",
    "Effective",
    "Estimate",
    "Interval",
    "Pair",
    "chance_at_most",
    "chance_once",
    "design_effect",
    "difference_lower",
    "difference_p_value",
    "difference_upper",
    "effective",
    "exact_p_value",
    "holm",
    "interval",
    "lower_bound",
    "needed",
    "paired_difference",
    "smallest",
    "true_rate",
    "true_rate_lower",
    "true_rate_p_value",
    "true_rate_upper",
    "upper_bound",
    "visible_margin",
]
