"""Kinds of values that options take: sizes of images, assignments."""

from __future__ import annotations

import ast
from typing import Any

import click


class Size(click.ParamType):
    """``64`` or ``48x64``: height and width."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return an integer, or a tuple (height, width)."""
        numbers = str(value).lower().split("x")
        if len(numbers) > 2 or not all(number.isdecimal() and int(number) for number in numbers):
            self.fail(f"must be a number of pixels such as 64, or HEIGHTxWIDTH; got {value!r}.", param, ctx)
        return int(numbers[0]) if len(numbers) == 1 else tuple(map(int, numbers))


class Assignment(click.ParamType):
    """``name=value``; the value is read as Python's literals are, and as text if it is none."""

    name = "name=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return name and value."""
        name, equals, text = str(value).partition("=")
        if not equals:
            self.fail(f"must be NAME=VALUE; got {value!r}.", param, ctx)
        try:
            return name, ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return name, text
