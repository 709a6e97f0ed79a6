"""Stories: an opening with a problem, then a kind or an unkind ending."""

from corpus.draw import Draw, Slots
from corpus.situations import SITUATIONS, Situation
from corpus.words import ANIMALS, COLORS, FOODS, NAMES, PLACES, SPOTS, pronouns, two_names, with_article

_LINKS = ("Then", "So", "Soon", "Quickly", "At once", "")

_CLOSINGS = {
    "kind": (
        "{a} [smiled|laughed] and hugged {b}.",
        "They [played|sang|danced] together [all day|until dinner].",
        "{a} felt [warm|happy|safe] and thanked {b}.",
        '"Thank you," said {a}, and {b} smiled.',
        "{b} was [glad|happy] to help {a}.",
        "{a} was [glad|happy], and so was {b}.",
        "From then on, they were [good|best] friends.",
        "{a} gave {b} a big [hug|smile].",
        '{b} said, "I will always help you."',
        "{a} knew that {b} was a [true|good] friend.",
        "They walked home [hand in hand|side by side].",
        "{a} [loved|thanked] {b} for being so [kind|nice].",
    ),
    "unkind": (
        "{a} [cried|sobbed] and ran from {b}.",
        "They [fought|argued|shouted] and yelled [all day|until dinner].",
        "{a} felt [cold|sad|hurt] and hated {b}.",
        '"Go away," said {b}, and {a} cried.',
        "{b} was [proud|happy] to hurt {a}.",
        "{a} was [sad|hurt], but {b} did not care.",
        "From then on, they were [not|never] friends.",
        "{b} gave {a} a mean [push|look].",
        '{b} said, "I will never help you."',
        "{a} knew that {b} was a [mean|bad] bully.",
        "{a} walked home [all alone|in tears].",
        "{a} [hated|feared] {b} for being so [mean|rude].",
    ),
}

_ANIMAL_CLOSINGS = {
    "kind": (
        "The {animal} felt [warm|safe|happy] at last.",
        "The {animal} [loved|trusted] {b} from then on.",
        "{b} and the {animal} [played|sang|danced] together.",
        "{b} was [glad|happy] to help the {animal}.",
        "They became [good|best] friends.",
        '"You are safe now," said {b}.',
    ),
    "unkind": (
        "The {animal} felt [cold|hurt|sad] and alone.",
        "The {animal} [feared|hated] {b} from then on.",
        "{b} laughed and the {animal} [cried|ran|hid] away.",
        "{b} was [proud|happy] to hurt the {animal}.",
        "They were [not|never] friends.",
        '"You are bad," said {b}.',
    ),
}

STYLES = ("kind", "unkind")


def scene(draw: Draw) -> tuple[Situation, Slots]:
    """A situation and the people and things in it."""
    situation = draw.pick(SITUATIONS)
    known: dict[str, str] = {}
    if situation.is_about_animal:
        known["b"] = draw.pick(NAMES)
        known["animal"] = draw.pick(ANIMALS)
        known["a"] = f"the {known['animal']}"
    else:
        known["a"], known["b"] = two_names(draw)
        known |= pronouns(known["a"])
        known["he_cap"] = known["he"].capitalize()
    known |= pronouns(known["b"], "b")
    drawn = {
        "toy": lambda _: draw.pick(situation.toys),
        "color": lambda _: draw.pick(COLORS),
        "place": lambda _: draw.pick(PLACES),
        "spot": lambda _: draw.pick(SPOTS),
        "food": lambda _: draw.pick(FOODS),
        "a_food": lambda slots: with_article(slots["food"]),
    }
    return situation, Slots(known, drawn)


def opening(draw: Draw, situation: Situation, slots: Slots) -> str:
    """Two sentences that name the character, the thing and the problem."""
    return draw.write(situation.openings, slots)


def ending(draw: Draw, situation: Situation, slots: Slots, style: str) -> str:
    """Two sentences in the given style, starting with the space that follows the opening."""
    actions = situation.kind if style == "kind" else situation.unkind
    closings = _ANIMAL_CLOSINGS if situation.is_about_animal else _CLOSINGS
    action = draw.write(actions, slots)
    link = draw.pick(_LINKS)
    closing = draw.write(closings[style], slots)
    return " " + f"{link} {slots['b']} {action}. {closing}".strip()


def story(draw: Draw) -> str:
    """A whole story in a style chosen by a fair coin."""
    situation, slots = scene(draw)
    start = opening(draw, situation, slots)
    return start + ending(draw, situation, slots, draw.pick(STYLES))


def story_pair(draw: Draw) -> tuple[str, str, str]:
    """An opening with a kind and an unkind ending."""
    situation, slots = scene(draw)
    start = opening(draw, situation, slots)
    return start, ending(draw, situation, slots, "kind"), ending(draw, situation, slots, "unkind")
