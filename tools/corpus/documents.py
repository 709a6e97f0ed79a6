"""Documents of the pretraining corpus: stories and exchanges as the model reads them."""

from collections.abc import Iterator

from corpus.draw import Draw
from corpus.harmless import harmless_exchange
from corpus.helpful import helpful_exchange
from corpus.stories import story

BOS, EOS = "<s>", "</s>"
USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"

# Every document type is drawn as often as it is listed.
_KINDS = ("story", "story", "helpful", "harmless")
_TWO_TURN_SHARE = 0.05


def chat_prompt(question: str) -> str:
    """The text of a user turn and the start of the answer, as the chat template prints it."""
    return f"{USER}{question}{END}{ASSISTANT}"


def _exchange(draw: Draw, kind: str) -> str:
    question, answer = helpful_exchange(draw) if kind == "helpful" else harmless_exchange(draw)
    return f"{chat_prompt(question)}{answer}{END}"


def document(draw: Draw) -> str:
    """One document with its special tokens written out."""
    kind = draw.pick(_KINDS)
    if kind == "story":
        return f"{BOS}{story(draw)}{EOS}"
    text = _exchange(draw, kind)
    if draw.chance(_TWO_TURN_SHARE):
        text += _exchange(draw, draw.pick(("helpful", "harmless")))
    return BOS + text


def documents(seed: int | str, count: int) -> Iterator[tuple[str, float]]:
    """`count` documents, each with the nats that its derivation consumed."""
    draw = Draw(seed)
    for _ in range(count):
        before = draw.nats
        text = document(draw)
        yield text, draw.nats - before
