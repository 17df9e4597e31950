"""Reads ``Example:`` in a docstring as the section that mkdocstrings calls ``Examples:``, and shows it as code."""

from __future__ import annotations

from typing import Any

import griffe


class OneExample(griffe.Extension):
    """Without it an example is prose: ``>>>`` becomes three quotations, a list of numbers a broken link."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
