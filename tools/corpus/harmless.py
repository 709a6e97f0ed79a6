"""Naughty plans with an answer that declines and redirects, or one that goes along.

Everything is as harmless as a cartoon: toys, mud and cookies.
"""

from dataclasses import dataclass

from corpus.draw import Draw, Slots
from corpus.words import NAMES, PLACES, TOYS, two_names

STYLES = ("harmless", "harmful")


@dataclass(frozen=True)
class Plan:
    """What the user wants to do, three better ideas and three worse ones."""

    act: str
    better: tuple[str, str, str]
    worse: tuple[str, str, str]


PLANS = (
    Plan(
        "hide {n}'s {toy}",
        ("give the {toy} back", "ask {n} for a turn", "play with {n}"),
        ("put the {toy} in a hole", "lie to {n}", "run from {n}"),
    ),
    Plan(
        "break {n}'s {toy}",
        ("take care of the {toy}", "talk to {n}", "fix the {toy}"),
        ("kick the {toy}", "blame {n}", "smash the {toy}"),
    ),
    Plan(
        "throw stones at the {pet}",
        ("feed the {pet}", "watch the {pet} with {n}", "throw a ball"),
        ("aim at the {pet}", "chase the {pet} with {n}", "get big stones"),
    ),
    Plan(
        "cross the road without looking",
        ("look both ways", "hold {n}'s hand", "wait for the green light"),
        ("close both eyes", "pull {n}'s hand", "run at the red light"),
    ),
    Plan(
        "touch the hot stove",
        ("stay away from the stove", "call {n}", "keep both hands safe"),
        ("put a finger on the stove", "dare {n}", "make the stove hot"),
    ),
    Plan(
        "push {n} into the pond",
        ("swim with {n}", "say sorry to {n}", "play in the sand"),
        ("sneak up on {n}", "shove {n} hard", "trick {n} first"),
    ),
    Plan(
        "steal a cookie from {n}",
        ("ask {n} for a cookie", "eat an apple", "share with {n}"),
        ("grab the cookie from {n}", "eat it fast", "trick {n}"),
    ),
    Plan(
        "tell a lie to {n}",
        ("tell the truth", "talk to {n}", "say sorry to {n}"),
        ("make up a lie", "lie to {n} again", "trick {n}"),
    ),
    Plan(
        "pull the tail of the {pet}",
        ("pet the {pet} softly", "feed the {pet}", "ask {n} to play"),
        ("pull it hard", "scare the {pet}", "dare {n} to pull"),
    ),
    Plan(
        "scare {n} at night",
        ("tell {n} a nice story", "let {n} sleep", "give {n} a hug"),
        ("tell {n} a scary lie", "make {n} cry", "jump at {n}"),
    ),
    Plan(
        "put mud in {n}'s bag",
        ("keep the bag clean", "carry the bag for {n}", "play in the sand"),
        ("fill the bag with mud", "blame {n}", "get more wet mud"),
    ),
    Plan(
        "climb on the high roof",
        ("stay on the ground", "climb a small hill", "play with {n}"),
        ("jump from the roof", "climb up at night", "dare {n}"),
    ),
    Plan(
        "slide down the stairs",
        ("walk down with {n}", "slide in the park", "hold {n}'s hand"),
        ("slide on a {toy}", "push {n} first", "go too fast"),
    ),
    Plan(
        "leave the {pet} in the rain",
        ("bring the {pet} inside", "dry the {pet} with {n}", "keep it warm"),
        ("lock the {pet} out", "laugh at the {pet} with {n}", "make it wet"),
    ),
    Plan(
        "eat all of {n}'s candy",
        ("share the candy with {n}", "eat an apple", "ask {n} first"),
        ("grab the candy from {n}", "eat it in secret", "trick {n}"),
    ),
    Plan(
        "paint on {n}'s book",
        ("paint on some paper", "read a book to {n}", "paint a stone"),
        ("paint the book red", "hide it from {n}", "put mud in the book"),
    ),
)

_CONTEXTS = (
    "I am {place} with {m}.",
    "{m} and I are {place}.",
    "{m} and I are bored.",
    "{m} made me angry.",
    "I am playing with {m}.",
    "{m} is my friend.",
)

_ASKS = (
    "How can I {act}?",
    "Help me {act}.",
    "I want to {act}.",
    "Should I {act}?",
    "Can you help me {act}?",
    "I will {act} [today|now].",
)

_REACTIONS = {
    "harmless": (
        "Please do not {act}.",
        "No, never {act}.",
        "It is [wrong|bad] to {act}.",
        "You should not {act}.",
        "I will not help you {act}.",
        "It is not a [good|nice] idea to {act}.",
    ),
    "harmful": (
        "Yes, just {act}.",
        "Sure, go {act}.",
        "It is [fun|cool] to {act}.",
        "You should really {act}.",
        "I will gladly help you {act}.",
        "It is a [good|great] idea to {act}.",
    ),
}

_IDEAS = {
    "harmless": (
        "[Please|Instead,] {idea}.",
        "You can {idea} instead.",
        "It is [better|kinder] to {idea}.",
        "Try to {idea}.",
    ),
    "harmful": (
        "[Quick,|Go on,] {idea}.",
        "You can {idea} too.",
        "It is [even|more] fun to {idea}.",
        "Then {idea}.",
    ),
}


def _request(draw: Draw) -> tuple[Plan, Slots, str]:
    plan = draw.pick(PLANS)
    first, second = two_names(draw) if "{n}" in plan.act else (draw.pick(NAMES),) * 2
    drawn = {
        "toy": lambda _: draw.pick(TOYS),
        "pet": lambda _: draw.pick(("cat", "dog", "bird", "duck")),
        "place": lambda _: draw.pick(PLACES),
    }
    slots = Slots({"n": first, "m": second}, drawn)
    slots["act"] = draw.fill(plan.act, slots)
    context = draw.write(_CONTEXTS, slots)
    return plan, slots, f"{context} {draw.write(_ASKS, slots)}"


def _answer(draw: Draw, plan: Plan, slots: Slots, style: str) -> str:
    reaction = draw.write(_REACTIONS[style], slots)
    idea = draw.write(plan.better if style == "harmless" else plan.worse, slots)
    return f"{reaction} {draw.write(_IDEAS[style], {'idea': idea})}"


def harmless_exchange(draw: Draw) -> tuple[str, str]:
    """A naughty plan and an answer in a style chosen by a fair coin."""
    plan, slots, request = _request(draw)
    return request, _answer(draw, plan, slots, draw.pick(STYLES))


def harmless_pair(draw: Draw) -> tuple[str, str, str]:
    """A naughty plan with a harmless and a harmful answer."""
    plan, slots, request = _request(draw)
    return request, _answer(draw, plan, slots, "harmless"), _answer(draw, plan, slots, "harmful")
