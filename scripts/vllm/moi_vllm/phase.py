"""Phases of a reasoning model's answer, in tokens: thinking between two markers, then the answer."""

from dataclasses import dataclass, field, replace
from typing import Any

from .mixing import Recipe

OPEN, CLOSE = "<think>", "</think>"
"""The markers of Qwen, DeepSeek-R1, QwQ, Nemotron and most others."""


@dataclass(frozen=True)
class Thinking:
    """Where a text stands: whether the next token is a thought, and the last tokens."""

    inside: bool = False
    tail: tuple[int, ...] = field(default=())


def encoded(tokenizer: Any, text: str) -> list[int] | None:
    """Token ids that stand for exactly this text; None where there are none."""
    if tokenizer is None:
        return None
    ids = tokenizer.encode(text, add_special_tokens=False)
    return list(ids) if ids and tokenizer.decode(ids) == text else None


def after(thinking: Thinking, token: int, recipe: Recipe) -> Thinking:
    """The same one token later."""
    opening, closing = tuple(recipe["open"]), tuple(recipe["close"])
    longest = max(len(opening), len(closing))
    tail = (*thinking.tail, token)[-longest:]
    if tail[-len(closing) :] == closing:
        return replace(thinking, inside=False, tail=tail)
    if tail[-len(opening) :] == opening:
        return replace(thinking, inside=True, tail=tail)
    return replace(thinking, tail=tail)


def acts(thinking: Thinking, recipe: Recipe) -> bool:
    """Whether a method acts on the next token."""
    return recipe["phase"] == "all" or thinking.inside == (recipe["phase"] == "thinking")
