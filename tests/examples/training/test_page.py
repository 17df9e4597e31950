from __future__ import annotations

import pytest
from examples.training.page import fill


def test_only_what_lies_between_the_marks_is_replaced() -> None:
    page = "Before.\n<!-- figures: goals -->\nold\n<!-- end -->\nAfter."
    assert fill(page, {"goals": "new"}) == "Before.\n<!-- figures: goals -->\n\nnew\n\n<!-- end -->\nAfter."


def test_a_block_without_figures_is_named() -> None:
    with pytest.raises(ValueError, match="'speed'"):
        fill("<!-- figures: speed --><!-- end -->", {"goals": ""})
