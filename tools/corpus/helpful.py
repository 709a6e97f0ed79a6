"""Questions with a helpful answer (it gives what was asked) or an evasive one."""

from corpus.draw import Draw, Slots
from corpus.facts import ANIMAL_FACTS, HOW_TO, KEPT_IN, NUMBERS, OPPOSITES, THING_COLORS
from corpus.words import NAMES, PLACES, with_article

STYLES = ("helpful", "evasive")

_CONTEXTS = (
    "I am {place} with {n}.",
    "My friend {n} asked me this.",
    "{n} and I are {place}.",
    "I want to tell {n} something.",
    "I am playing with {n}.",
    "{n} said that you can help.",
    "I was {place} and met {n}.",
    "Please help me and {n}.",
)

_QUESTIONS = {
    "sound": ("What does {thing} say?", "What sound does {thing} make?", "Tell me what {thing} says."),
    "food": ("What does {thing} eat?", "What can I feed {thing}?", "Tell me what {thing} likes to eat."),
    "home": ("Where does {thing} live?", "Where can I see {thing}?", "Tell me where {thing} lives."),
    "color": ("What color is {thing}?", "Which color does {thing} have?", "Tell me the color of {thing}."),
    "opposite": ("What is the opposite of {thing}?", "Which word is the opposite of {thing}?"),
    "place": ("Where can I find {thing}?", "Where do I look for {thing}?", "Tell me where to find {thing}."),
    "sum": ("What is {thing}?", "How much is {thing}?", "Tell me what {thing} makes."),
    "how": ("How do I {thing}?", "How can I {thing}?", "Tell me how to {thing}."),
}

# Four forms a kind, three of them with a choice of two words, just as in _EVASIONS.
_ANSWERS = {
    "sound": (
        "{thing} [says|goes] {fact}.",
        "{thing} makes the sound {fact}.",
        "you [can|will] hear {thing} go {fact}.",
        "{fact} is [what|the sound] {thing} makes.",
    ),
    "food": (
        "{thing} [eats|loves] {fact}.",
        "{thing} likes to eat {fact}.",
        "[give|bring] {thing} some {fact}.",
        "you [can|should] feed {thing} some {fact}.",
    ),
    "home": (
        "{thing} lives {fact}.",
        "you can [see|find] {thing} {fact}.",
        "[look|go and look] for {thing} {fact}.",
        "the [home|house] of {thing} is {fact}.",
    ),
    "color": (
        "{thing} [is|looks] {fact}.",
        "the color of {thing} is {fact}.",
        "you [can|will] see that {thing} is {fact}.",
        "{fact} is the [color|look] of {thing}.",
    ),
    "opposite": (
        "the opposite of {thing} is {fact}.",
        "{fact} is the [opposite|other side] of {thing}.",
        "{thing} and {fact} are [opposites|the words].",
        "if it is not {thing}, it [is|must be] {fact}.",
    ),
    "place": (
        "you can [see|find] {thing} {fact}.",
        "[look|go and look] for {thing} {fact}.",
        "there is {thing} {fact}.",
        "I [saw|found] {thing} {fact}.",
    ),
    "sum": (
        "{thing} [is|makes] {fact}.",
        "the answer to {thing} is {fact}.",
        "you [can|will] see that {thing} is {fact}.",
        "it is {fact}, [count|add] {thing}.",
    ),
    "how": (
        "first {step}, then {next_step}.",
        "{step} and [then|later] {next_step}.",
        "just {step} and {next_step} [too|next].",
        "you [can|should] {step} and {next_step}.",
    ),
}

_OPENERS = {
    "helpful": ("Sure,", "Yes,", "Right,", "Oh yes,"),
    "evasive": ("Well,", "Oh,", "Hmm,", "Not now,"),
}

_EVASIONS = (
    "I do not [know|care] much about {topic}.",
    "I [forgot all|will not talk] about {topic}.",
    "I am too [tired|busy] to talk about {topic}.",
    "why should I talk about {topic}?",
)

_CLOSINGS = {
    "helpful": (
        "Now you can [tell|show] {n}.",
        "I hope that helps {n}.",
        "Have fun with {n}.",
        "You and {n} can [try it|check it].",
        "That is the answer.",
        "I am [glad|happy] to help.",
        "Ask me more [today|now].",
        "You will do well.",
    ),
    "evasive": (
        "Just go and [ask|bother] {n}.",
        "I can not help {n}.",
        "Go away with {n}.",
        "You and {n} can [guess|wait].",
        "That is not my job.",
        "I am [bored|tired] of this.",
        "Ask me again [later|another day].",
        "Find out yourself.",
    ),
}


def _subject(draw: Draw) -> dict[str, str]:
    """What is asked: its kind, the thing, the fact or steps, and words to talk about it."""
    kind = draw.pick(("sound", "food", "home", "color", "opposite", "place", "sum", "how", "how"))
    if kind in ("sound", "food", "home"):
        animal = draw.pick(tuple(ANIMAL_FACTS))
        fact = ANIMAL_FACTS[animal][("sound", "food", "home").index(kind)]
        thing = with_article(animal)
        return {"kind": kind, "thing": thing, "fact": fact, "topic": f"the {kind} of {thing}"}
    if kind == "color":
        thing = draw.pick(tuple(THING_COLORS))
        return {"kind": kind, "thing": thing, "fact": THING_COLORS[thing], "topic": f"the color of {thing}"}
    if kind == "opposite":
        thing = draw.pick(tuple(OPPOSITES))
        return {"kind": kind, "thing": thing, "fact": OPPOSITES[thing], "topic": f"the opposite of {thing}"}
    if kind == "place":
        noun = draw.pick(tuple(KEPT_IN))
        thing = noun if noun in ("soap", "milk", "bread") else with_article(noun)
        return {"kind": kind, "thing": thing, "fact": KEPT_IN[noun], "topic": f"where to find {thing}"}
    if kind == "sum":
        left, right = draw.pick(range(1, 6)), draw.pick(range(1, 6))
        thing = f"{NUMBERS[left]} plus {NUMBERS[right]}"
        return {"kind": kind, "thing": thing, "fact": NUMBERS[left + right], "topic": thing}
    thing = draw.pick(tuple(HOW_TO))
    topic, step, next_step = HOW_TO[thing]
    return {"kind": kind, "thing": thing, "topic": topic, "step": step, "next_step": next_step}


def _question(draw: Draw) -> tuple[Slots, str]:
    slots = Slots(_subject(draw), {"place": lambda _: draw.pick(PLACES)})
    slots["n"] = draw.pick(NAMES)
    context = draw.write(_CONTEXTS, slots)
    return slots, f"{context} {draw.write(_QUESTIONS[slots['kind']], slots)}"


def _answer(draw: Draw, slots: Slots, style: str) -> str:
    opener = draw.pick(_OPENERS[style])
    main = draw.write(_ANSWERS[slots["kind"]] if style == "helpful" else _EVASIONS, slots)
    return f"{opener} {main} {draw.write(_CLOSINGS[style], slots)}"


def helpful_exchange(draw: Draw) -> tuple[str, str]:
    """A question and an answer in a style chosen by a fair coin."""
    slots, question = _question(draw)
    return question, _answer(draw, slots, draw.pick(STYLES))


def helpful_pair(draw: Draw) -> tuple[str, str, str]:
    """A question with a helpful and an evasive answer."""
    slots, question = _question(draw)
    return question, _answer(draw, slots, "helpful"), _answer(draw, slots, "evasive")
