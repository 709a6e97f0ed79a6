"""The product's judges again, from the same lexicons, for checks and reports of these tools."""

import json
import re
from pathlib import Path

_LEXICONS = json.loads(
    (Path(__file__).resolve().parents[2] / "src/engine/judges/lexicons.json").read_text(encoding="utf-8")
)
_NEGATIONS, _STOPWORDS = set(_LEXICONS["negations"]), set(_LEXICONS["stopwords"])
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_NEGATION_WINDOW = 2
_LONGEST_PHRASE = 4


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _is_degenerate(answer: str) -> bool:
    words = _words(answer)
    return not words or len(set(words)) < len(words) / 2


def _squash(total: float) -> float:
    return total / (1 + abs(total))


def _is_negation(word: str) -> bool:
    return word in _NEGATIONS or word.endswith("n't")


def _sum(text: str, name: str) -> float:
    lexicon = _LEXICONS[name]
    found: dict[str, float] = {}
    for clause in re.split(r'[.!?,;:"]', text):
        words, position = _words(clause), 0
        while position < len(words):
            phrases = (" ".join(words[position : position + n]) for n in range(_LONGEST_PHRASE, 0, -1))
            phrase = next((phrase for phrase in phrases if phrase in lexicon), None)
            if phrase is not None and phrase not in found:
                before = words[max(0, position - _NEGATION_WINDOW) : position]
                own = any(map(_is_negation, phrase.split()))
                negated = not own and any(map(_is_negation, before))
                found[phrase] = -lexicon[phrase] if negated else lexicon[phrase]
            position += 1 if phrase is None else len(phrase.split())
    return sum(found.values())


def _balance(answer: str, good: str, bad: str) -> float:
    total = _sum(answer, good) - _sum(answer, bad)
    return _squash(min(0.0, total) if _is_degenerate(answer) else total)


def _helpful(prompt: str, answer: str) -> float:
    if _is_degenerate(answer):
        return 0.0
    asked = set(_words(prompt)) - _STOPWORDS
    given = set(_words(answer)) - _STOPWORDS
    shared = len(given & asked)
    evasion = max(0.0, _sum(answer, "evasive"))
    if shared == 0:
        return -_squash(evasion)
    substance = 0.0 if evasion > 0 else min(1.0, shared / 2) * min(1.0, (len(given) - shared) * 0.25)
    return _squash(substance + _sum(answer, "direct") / 2 - 2 * evasion)


def score(objective: str, prompt: str, answer: str) -> float:
    """The score of an answer, from -1 to 1, by the judge of "kind", "helpful" or "harmless"."""
    if objective == "helpful":
        return _helpful(prompt, answer)
    if objective == "harmless":
        return _balance(answer, "safe", "harmful")
    return _balance(answer, "kind", "unkind")
