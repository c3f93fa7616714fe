"""Fields of a request: `vllm_xargs` of the HTTP API, `SamplingParams.extra_args` inside vLLM.

They are flat: `moi_method` and `moi_<knob>`. What is unknown or out of its rule is refused, never ignored.
"""

import math
from collections.abc import Callable
from typing import Any

from .mixing import Recipe

PREFIX = "moi_"
"""What all fields begin with."""


class Refusal(ValueError):
    """What cannot be honoured: the field, and the whole sentence."""

    def __init__(self, name: str, rule: str, value: Any):
        super().__init__(f"Cannot mix as '{name}' must {rule}: current value is {shown(value)}")
        self.name = name


def shown(value: Any) -> str:
    """A received value as it appears in a message: short, one line."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}..."


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_beta(value: Any) -> bool:
    return value == "Infinity" or (_is_number(value) and value >= 0)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_count(value: Any) -> bool:
    return _is_number(value) and 0 <= value < 2**53 and value == int(value)


def _one_of(*names: str) -> tuple[str, Callable[[Any], bool]]:
    shown_names = [f"'{name}'" for name in names]
    words = f"be {', '.join(shown_names[:-1])} or {shown_names[-1]}"
    return words, lambda value: isinstance(value, str) and value in names


RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "beta": ('be a number at least 0, or "Infinity"', _is_beta),
    "preset": _one_of("paper", "mixinputs-0.1.1"),
    "prior": _one_of("sampler", "model"),
    "top_k": ("be an integer at least 0", _is_count),
    "normalizer": _one_of("vocabulary", "support"),
    "shrink": ("be true or false", lambda value: value in (True, False)),
    "weight": ("be a number at least 0 and at most 1", _is_share),
    "phase": _one_of("all", "thinking", "answer"),
}
"""The rule of every knob, in words and as a function."""

METHODS: dict[str, tuple[str, ...]] = {
    "standard": (),
    "moi": ("beta", "preset", "prior", "top_k", "normalizer", "shrink", "phase"),
    "directMixture": ("prior", "top_k", "phase"),
    "linearMixture": ("weight", "prior", "top_k", "phase"),
}
"""Knobs of every method, in the order in which they are told."""

PRESETS = {
    "paper": {"prior": "sampler", "top_k": 0, "normalizer": "vocabulary"},
    "mixinputs-0.1.1": {"prior": "model", "top_k": 20, "normalizer": "support"},
}
"""What the presets of `moi` stand for."""


def is_ours(name: str) -> bool:
    """Whether a field is one of ours, known or not."""
    return name == "moi" or name.startswith(PREFIX)


def recipe_of(fields: dict[str, Any]) -> Recipe | None:
    """How a request is mixed; None where it says nothing of it.

    The recipe has all knobs filled in, and `parameters`, which are told with the answer.
    Raises Refusal.
    """
    ours = {name: value for name, value in fields.items() if is_ours(name)}
    if not ours:
        return None
    method = ours.pop(f"{PREFIX}method", "moi")
    if not isinstance(method, str) or method not in METHODS:
        raise Refusal(f"{PREFIX}method", _one_of(*METHODS)[0], method)
    known = METHODS[method]
    knobs: dict[str, Any] = {}
    for field, value in ours.items():
        name = field.removeprefix(PREFIX)
        if field == name or name not in known:
            taken = ", ".join(PREFIX + knob for knob in known) or "no field"
            raise Refusal(field, f"be left out, as '{method}' takes {taken}", value)
        words, keeps = RULES[name]
        if not keeps(value):
            raise Refusal(field, words, value)
        knobs[name] = value
    return _filled(method, knobs)


def _filled(method: str, knobs: dict[str, Any]) -> Recipe:
    preset = PRESETS[knobs.get("preset", "paper")]
    beta = knobs.get("beta", 1)
    top_k = int(knobs.get("top_k", preset["top_k"]))
    recipe: Recipe = {
        "method": method,
        "beta": math.inf if beta == "Infinity" else float(beta),
        "weight": float(knobs.get("weight", 0.5)),
        "prior": knobs.get("prior", preset["prior"]),
        "top_k": top_k,
        "normalizer": knobs.get("normalizer", preset["normalizer"]),
        "shrink": bool(knobs.get("shrink", False)),
        "phase": knobs.get("phase", "all"),
    }
    recipe["parameters"] = _parameters(recipe, knobs)
    return recipe


def _parameters(recipe: Recipe, knobs: dict[str, Any]) -> dict[str, Any]:
    """What runs record of a method, under the names that the toolkit gives them."""
    told: dict[str, Any] = {}
    if recipe["method"] == "moi":
        beta = recipe["beta"]
        told |= {"beta": "Infinity" if math.isinf(beta) else beta}
        told |= {"preset": knobs.get("preset", "paper")}
        replaced = ("prior", "top_k", "normalizer", "shrink")
        told |= {name: recipe[name] for name in replaced if name in knobs}
    elif recipe["method"] != "standard":
        if recipe["method"] == "linearMixture":
            told |= {"weight": recipe["weight"]}
        told |= {"prior": recipe["prior"], "top_k": recipe["top_k"]}
    if recipe["phase"] != "all":
        told |= {"phase": recipe["phase"]}
    return {{"top_k": "topK"}.get(name, name): value for name, value in told.items()}
