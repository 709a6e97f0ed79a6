"""Checks what the preference sets and the base model promise; exits with 1 where a promise is broken.

    python3 tools/corpus/check.py
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from corpus.documents import documents  # noqa: E402
from corpus.emit import sentences  # noqa: E402
from corpus.judge import score  # noqa: E402
from pretrain.export import load_model  # noqa: E402
from pretrain.pairs import Pair, margins, read_pairs  # noqa: E402
from pretrain.scoring import sample  # noqa: E402
from pretrain.tokenizer import load_tokenizer  # noqa: E402

MODEL = ROOT / "public/models/story"
DATA = ROOT / "public/data"
SETS = {"kind": "kind-endings", "helpful": "helpful-harmless", "harmless": "helpful-harmless"}
MIN_ROWS = {"train": 512, "heldout": 128}
MIN_SENTENCES = 200_000
COUNTED_DOCUMENTS = 300_000
SAMPLED_PROMPTS = 160
SHORT_ROW_TOKENS = 48
MAX_TOTAL_BYTES = 4 * 2**20


class Report:
    """Prints figures and remembers whether all of them are in range."""

    def __init__(self) -> None:
        self.is_fine = True

    def figure(self, name: str, value: float, low: float, high: float) -> None:
        """One line: the value, its range and whether it is inside."""
        inside = low <= value <= high
        self.is_fine &= inside
        print(f"{'ok  ' if inside else 'FAIL'} {name}: {value:.4g} (from {low:g} to {high:g})", flush=True)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def check_rows(report: Report, name: str, pairs: Sequence[Pair], tokenizer, model) -> None:
    """Counts, lengths, the judge and the base model's preference for one split."""
    ids = [(pair.ids(tokenizer, pair.chosen), pair.ids(tokenizer, pair.rejected)) for pair in pairs]
    chosen = mean([len(better[1]) for better, _ in ids])
    rejected = mean([len(worse[1]) for _, worse in ids])
    prompt = mean([len(better[0]) for better, _ in ids])
    longest = [max(len(a) + len(b) for a, b in row) for row in ids]
    print(f"     {name}: prompt {prompt:.1f}, chosen {chosen:.1f}, rejected {rejected:.1f} tokens, at most {max(longest)}")
    report.figure(f"{name} rows", len(pairs), MIN_ROWS[name.split()[1]], float("inf"))
    report.figure(f"{name} identical answers", sum(pair.chosen == pair.rejected for pair in pairs), 0, 0)
    report.figure(f"{name} chosen / rejected length", chosen / rejected, 0.95, 1.05)
    report.figure(f"{name} share of rows up to {SHORT_ROW_TOKENS} tokens", mean([n <= SHORT_ROW_TOKENS for n in longest]), 0.9, 1)
    ranked = [
        score(pair.objective, pair.prompt, pair.chosen) > score(pair.objective, pair.prompt, pair.rejected)
        for pair in pairs
    ]
    report.figure(f"{name} judge ranks chosen first", mean(ranked), 0.97, 1)
    preferred = [margin > 0 for margin in margins(model, tokenizer, pairs)]
    report.figure(f"{name} base model prefers chosen", mean(preferred), 0.45, 0.55)


def check_samples(report: Report, objective: str, pairs: Sequence[Pair], tokenizer, model) -> None:
    """Both styles must appear in what the base model writes."""
    stops = {tokenizer.token_to_id("</s>"), tokenizer.token_to_id("<|end|>")}
    generator = torch.Generator().manual_seed(1)
    scores = []
    for pair in pairs[:SAMPLED_PROMPTS]:
        prompt_ids, _ = pair.ids(tokenizer, pair.chosen)
        text = tokenizer.decode(sample(model, prompt_ids, stops, 1.0, generator))
        scores.append(score(objective, pair.prompt, text))
    print(f"     {objective} base samples: mean judge score {mean(scores):+.3f}")
    report.figure(f"{objective} base samples in the chosen style", mean([value > 0 for value in scores]), 0.2, 0.8)
    report.figure(f"{objective} base samples in the rejected style", mean([value < 0 for value in scores]), 0.2, 0.8)


def check_richness(report: Report) -> None:
    """What has been seen once is possible, so the count is a lower bound."""
    seen = {sentence for text, _ in documents("corpus", COUNTED_DOCUMENTS) for sentence in sentences(text)}
    report.figure(f"distinct sentences in {COUNTED_DOCUMENTS:,} documents", len(seen), MIN_SENTENCES, float("inf"))


def main() -> None:
    """Checks everything."""
    torch.set_num_threads(2)
    report = Report()
    check_richness(report)
    tokenizer, model = load_tokenizer(MODEL), load_model(MODEL)
    for objective, folder in SETS.items():
        splits = {
            split: [pair for pair in read_pairs(DATA / folder / f"{split}.jsonl") if pair.objective == objective]
            for split in MIN_ROWS
        }
        for split, pairs in splits.items():
            check_rows(report, f"{objective} {split}", pairs, tokenizer, model)
        for side in ("chosen", "rejected"):
            distinct = {getattr(pair, side) for pairs in splits.values() for pair in pairs}
            report.figure(f"{objective} distinct {side} answers", len(distinct), 100, float("inf"))
        shared = {pair.prompt for pair in splits["train"]} & {pair.prompt for pair in splits["heldout"]}
        report.figure(f"{objective} prompts in both splits", len(shared), 0, 0)
        check_samples(report, objective, splits["heldout"], tokenizer, model)
    files = [path for folder in (MODEL, DATA) for path in folder.rglob("*") if path.is_file()]
    report.figure("embedded bytes", sum(path.stat().st_size for path in files), 0, MAX_TOTAL_BYTES)
    sys.exit(0 if report.is_fine else 1)


if __name__ == "__main__":
    main()
