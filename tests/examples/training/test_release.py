from __future__ import annotations

from examples.training.networks import NETWORKS
from examples.training.recipe import Recipe
from examples.training.release import RELEASED, STEPS


def test_every_step_is_a_recipe_and_needs_only_what_came_before() -> None:
    done: set[str] = set()
    for name, network, start, values in STEPS:
        needed = {start} - {None} | set(values.get("runs", ())) | set(values.get("teachers", ()))
        assert needed <= done, f"{name} needs {needed - done}"
        if network in NETWORKS:
            fields = {field: value for field, value in values.items() if field != "stop_after"}
            assert Recipe().changed({**fields, "network": network}).steps > 10
        done.add(name)


def test_every_network_is_released() -> None:
    assert set(RELEASED) == set(NETWORKS)
    names = {name for name, *_ in STEPS}
    assert {name for pair in RELEASED.values() for name in pair} <= names
