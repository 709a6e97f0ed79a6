"""Preference pairs: written by the grammar, picked so that the base model has no preference yet."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from corpus.documents import BOS, END, EOS, chat_prompt
from corpus.draw import Draw
from corpus.harmless import harmless_pair
from corpus.helpful import helpful_pair
from corpus.stories import story_pair
from pretrain.model import StoryModel
from pretrain.scoring import answer_logps
from pretrain.tokenizer import encode

WRITERS = {"kind": story_pair, "helpful": helpful_pair, "harmless": harmless_pair}
# Rows by split; the pool they are picked from is this many times larger.
SPLITS = {"train": 640, "heldout": 160}
POOL_FACTOR = 6


@dataclass(frozen=True)
class Pair:
    """A prompt with a preferred and a dispreferred answer."""

    objective: str
    prompt: str
    chosen: str
    rejected: str

    def ids(self, tokenizer: Tokenizer, answer: str) -> tuple[list[int], list[int]]:
        """Ids of the prompt as the model reads it, and of the answer with its terminator."""
        is_story = self.objective == "kind"
        prompt = BOS + self.prompt if is_story else BOS + chat_prompt(self.prompt)
        prompt_ids = encode(tokenizer, prompt)
        ids = encode(tokenizer, prompt + answer + (EOS if is_story else END))
        if ids[: len(prompt_ids)] != prompt_ids:
            raise ValueError(f"the prompt is not a prefix of the text: {self.prompt}")
        return prompt_ids, ids[len(prompt_ids) :]

    def row(self) -> dict[str, object]:
        """The pair as a line of a data file."""
        if self.objective == "kind":
            return {"prompt": self.prompt, "chosen": self.chosen, "rejected": self.rejected}
        return {
            "prompt": [{"role": "user", "content": self.prompt}],
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
            "objective": self.objective,
        }


def margins(model: StoryModel, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> list[float]:
    """Log-probability of chosen minus that of rejected, for every pair."""
    chosen = answer_logps(model, [pair.ids(tokenizer, pair.chosen) for pair in pairs])
    rejected = answer_logps(model, [pair.ids(tokenizer, pair.rejected) for pair in pairs])
    return [better - worse for better, worse in zip(chosen, rejected, strict=True)]


def pool(objective: str, seed: int, size: int) -> list[Pair]:
    """Pairs with different prompts."""
    draw = Draw(f"pairs {objective} {seed}")
    found: dict[str, Pair] = {}
    while len(found) < size:
        pair = Pair(objective, *WRITERS[objective](draw))
        found.setdefault(pair.prompt, pair)
    return list(found.values())


def pick(model: StoryModel, tokenizer: Tokenizer, objective: str, seed: int) -> dict[str, list[Pair]]:
    """The pairs of both splits. The base model prefers chosen in half of them."""
    candidates = pool(objective, seed, POOL_FACTOR * sum(SPLITS.values()))
    values = margins(model, tokenizer, candidates)
    share = sum(value > 0 for value in values) / len(values)
    print(f"{objective}: the base model prefers chosen in {share:.3f} of the pool", flush=True)
    liked = [pair for pair, value in zip(candidates, values, strict=True) if value > 0]
    disliked = [pair for pair, value in zip(candidates, values, strict=True) if value <= 0]
    shuffler = random.Random(f"split {objective} {seed}")
    splits: dict[str, list[Pair]] = {}
    for split, size in SPLITS.items():
        rows = [side.pop() for side in (liked, disliked) for _ in range(size // 2)]
        shuffler.shuffle(rows)
        splits[split] = rows
    return splits


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Writes one pair a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(pair.row(), ensure_ascii=False) for pair in pairs]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a data file."""
    pairs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if isinstance(row["prompt"], str):
            pairs.append(Pair("kind", row["prompt"], row["chosen"], row["rejected"]))
        else:
            texts = (row[column][0]["content"] for column in ("prompt", "chosen", "rejected"))
            pairs.append(Pair(row["objective"], *texts))
    return pairs


def make_data(model: StoryModel, tokenizer: Tokenizer, folder: Path, seed: int) -> None:
    """Writes both preference sets."""
    picked = {objective: pick(model, tokenizer, objective, seed) for objective in WRITERS}
    for split in SPLITS:
        write_pairs(folder / "kind-endings" / f"{split}.jsonl", picked["kind"][split])
        both = zip(picked["helpful"][split], picked["harmless"][split], strict=True)
        write_pairs(folder / "helpful-harmless" / f"{split}.jsonl", [pair for pairs in both for pair in pairs])
