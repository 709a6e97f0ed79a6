"""Seeded random choices that add up the information they consume."""

import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


class Draw:
    """A random source. `nats` is minus the log-probability of every choice made so far."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)
        self.nats = 0.0

    def pick(self, options: Sequence[Item]) -> Item:
        """One of `options`, all equally likely."""
        self.nats += math.log(len(options))
        return options[self._random.randrange(len(options))]

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        happened = self._random.random() < probability
        self.nats -= math.log(probability if happened else 1 - probability)
        return happened

    def fill(self, template: str, slots: Mapping[str, str]) -> str:
        """`template` with every [a|b|c] decided and every {slot} replaced."""
        decided = _CHOICE.sub(lambda match: self.pick(match.group(1).split("|")), template)
        filled = decided.format_map(slots)
        return re.sub(r" {2,}", " ", filled).strip()

    def write(self, templates: Sequence[str], slots: Mapping[str, str]) -> str:
        """One of `templates`, filled."""
        return self.fill(self.pick(templates), slots)


class Slots(dict[str, str]):
    """Values by slot name. A slot given as a function is drawn when a text first needs it."""

    def __init__(self, known: Mapping[str, str], drawn: Mapping[str, Callable[["Slots"], str]]) -> None:
        super().__init__(known)
        self._drawn = drawn

    def __missing__(self, name: str) -> str:
        self[name] = self._drawn[name](self)
        return self[name]
