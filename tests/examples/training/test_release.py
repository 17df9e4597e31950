from __future__ import annotations

from examples.training.networks import NETWORKS
from examples.training.recipe import Recipe
from examples.training.release import RELEASED, STEPS, made_by


def test_every_step_is_a_recipe_and_needs_only_what_came_before() -> None:
    done: set[str] = set()
    for name, network, start, values in STEPS:
        asked = [values.get(role, ()) for role in ("runs", "teachers", "taught_by", "students")]
        needed = {start, *(run for runs in asked for run in runs)} - {None, *NETWORKS}
        assert needed <= done, f"{name} needs {needed - done}"
        if network in NETWORKS:
            assert Recipe().changed({**values, "network": network}).steps > 10
        if network == "distil":
            assert Recipe().changed(values["changes"]).taught_live
        done |= set(made_by(name, values))


def test_every_network_is_released() -> None:
    assert set(RELEASED) == set(NETWORKS)
    made = {run for name, *_, values in STEPS for run in made_by(name, values)}
    assert {name for pair in RELEASED.values() for name in pair} <= made
