"""Scripted experts: programs that solve a task through the environment's controller, for demonstrations and baselines.

- `registry`: `make_expert(env)` creates the expert of an environment's task.
- `bimanual_expert`: base class of the experts for two-armed tasks, with an example of a new one.
- `arm_motion`: the motions of one arm that such an expert is composed of.
- `skills`: pick, place, carry together, and more, made of these motions.
- `aloha`: the experts of the ALOHA tasks.
- `libero`: one expert for all LIBERO tasks, which plans from the goal.
"""

if __name__ != "ambidex.scripted_policies":
    raise ImportError(
        f"This folder is the package 'ambidex.scripted_policies' and was imported as {__name__!r}. "
        "Install the project (pip install -e .) and import it under its full name."
    )
