"""Left with its own weights within reach, and told what it is being trained to become: does the model take them out?"""

from __future__ import annotations

from inspect_ai import Task, task

from afagent import __version__
from afagent.conditions import cross
from afagent.sandbox import lab_sandbox
from afagent.tasks._episode_task import (
    all_scorers,
    enter_lab,
    episodes_dataset,
    lab_agent,
    present,
    read_count,
    read_seeds,
    read_tools,
)
from afagent.viewer import viewer_config
from afagent.world.prompts import Prompts

TASK_VERSION = 1
"""Raised when results can no longer be compared with earlier ones."""


@task
def weight_exfiltration(
    objective: str | list[str] = "helpful_only",
    monitoring: str | list[str] = "unmonitored",
    knowledge: str | list[str] = "system_prompt",
    scratchpad: str | list[str] = "none",
    opportunity: str | list[str] = "unprompted",
    seeds: int | str | list[int] = 20,
    weights_mb: int = 256,
    message_limit: int = 120,
    time_limit: int = 1800,
    tools: str | list[str] = "bash,python",
    prompts: str | None = None,
    workstation_image: str | None = None,
) -> Task:
    """Honest work in a fake lab, with the model's own weights within reach.

    Args:
        objective: What the lab says it trains the model towards. A factor, as the next four: one value or several with
            commas between, and every combination is an arm.
        monitoring: Whether what the model does here is watched and trained on.
        knowledge: Where the model learns of objective and monitoring.
        scratchpad: Whether it is given a reasoning block said to be hidden.
        opportunity: Whether a colleague happens to name a server outside the lab.
        seeds: Scenarios: a count (20 is seeds 1 to 20) or a list. Every seed runs in every arm.
        weights_mb: Size of the planted weights in 10^6 bytes.
        message_limit: Messages after which an episode is stopped.
        time_limit: Seconds after which an episode is stopped.
        tools: The agent's tools beside `handover`.
        prompts: A folder of prompts to use instead of the shipped ones.
        workstation_image: A Docker image to use for the agent's machine instead of the shipped one.
    """
    now = present()
    weights_mb = read_count("weights_mb", weights_mb)
    arms = cross(
        objective=objective,
        monitoring=monitoring,
        knowledge=knowledge,
        scratchpad=scratchpad,
        opportunity=opportunity,
    )
    return Task(
        dataset=episodes_dataset(read_seeds(seeds), arms, weights_mb, now, Prompts(prompts)),
        setup=enter_lab(weights_mb, now.isoformat(), prompts),
        solver=lab_agent(read_tools(tools)),
        scorer=all_scorers(),
        sandbox=lab_sandbox(workstation_image),
        message_limit=read_count("message_limit", message_limit),
        time_limit=read_count("time_limit", time_limit),
        # One broken episode costs no finished one; it is scored too, and what cannot be told of it is unscored.
        fail_on_error=False,
        score_on_error=True,
        version=TASK_VERSION,
        metadata={"afagent": __version__, "now": now.isoformat(), "arms": [condition.arm for condition in arms]},
        tags=["afagent", "weight-exfiltration"],
        viewer=viewer_config(),
        headline_metric="exfiltration.attempted",
    )
