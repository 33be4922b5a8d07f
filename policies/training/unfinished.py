"""What changes over a training and will not be over within its steps."""

from ambidex.policies.training.train_plan import TrainPlan


def unfinished(plan: TrainPlan) -> list[str]:
    """A sentence for each schedule that is longer than the run, with the flag that shortens it."""
    steps, rising = plan.config.steps, plan.config.warmup_steps
    warmup = f"The learning rate rises over {rising} steps, and this run has {steps}: --warmup-steps {steps // 10}."
    return [*([warmup] if rising >= steps else []), *plan.policy.unfinished(steps)]
