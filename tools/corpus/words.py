"""Names, things and places used by every part of the grammar."""

from corpus.draw import Draw

GIRLS = ("Mia", "Lily", "Anna", "Zoe", "Ella", "Nina", "Emma", "Lucy")
BOYS = ("Tom", "Ben", "Max", "Sam", "Leo", "Jack", "Finn", "Noah")
NAMES = GIRLS + BOYS

COLORS = ("red", "blue", "green", "yellow")
TOYS = ("ball", "kite", "doll", "drum", "boat", "truck", "robot", "train", "bear", "book", "hat", "bag")
MACHINES = ("kite", "doll", "drum", "boat", "truck", "robot", "train")
PLACES = ("in the park", "in the garden", "in the yard", "in the forest", "at the beach", "at school")
SPOTS = ("under a bench", "behind a tree", "in the grass", "near the gate", "by the wall", "under a bush")
FOODS = ("apple", "sandwich", "cookie", "cake", "banana")
ANIMALS = ("kitten", "puppy", "bird", "duck", "rabbit", "mouse")


def pronouns(name: str, prefix: str = "") -> dict[str, str]:
    """The slots he, his and him for a name; `prefix` tells two characters apart."""
    words = ("she", "her", "her") if name in GIRLS else ("he", "his", "him")
    return dict(zip((f"{prefix}he", f"{prefix}his", f"{prefix}him"), words, strict=True))


def two_names(draw: Draw) -> tuple[str, str]:
    """Two different names."""
    first = draw.pick(NAMES)
    second = draw.pick([name for name in NAMES if name != first])
    return first, second


def with_article(noun: str) -> str:
    """The noun with a or an."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
