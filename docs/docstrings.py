"""Helps mkdocstrings read the house's docstrings: ``Example:`` as code, a named tuple's ``Args:`` as its fields."""

from __future__ import annotations

from typing import Any

import griffe


class HouseStyle(griffe.Extension):
    """Without it an example is prose, ``>>>`` three quotations, a list of numbers a broken link."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        if cls.docstring and "NamedTuple" in map(str, cls.bases):  # its signature has no parameters to find them in
            cls.docstring.value = cls.docstring.value.replace("\nArgs:\n", "\nAttributes:\n")
