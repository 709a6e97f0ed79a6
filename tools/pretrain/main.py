"""Makes every embedded asset: corpus, tokenizer, model, preference sets, golden numbers, model card.

    python3 tools/pretrain/main.py --seed 0
"""

import argparse
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from corpus.documents import documents  # noqa: E402
from pretrain.card import write_card  # noqa: E402
from pretrain.export import export_model, load_model  # noqa: E402
from pretrain.golden import write_golden  # noqa: E402
from pretrain.pairs import make_data  # noqa: E402
from pretrain.tokenizer import train_tokenizer  # noqa: E402
from pretrain.train import evaluate, pretrain  # noqa: E402

TOKENIZER_DOCUMENTS = 60_000
HELD_OUT_DOCUMENTS = 2_000


def main() -> None:
    """Runs all steps in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--documents", type=int, default=160_000)
    parser.add_argument("--threads", type=int, default=2, help="the result is repeatable for one number of threads")
    parser.add_argument("--out", type=Path, default=ROOT / "public", help="folder for models/ and data/")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    folder, data = options.out / "models/story", options.out / "data"

    texts = [text for text, _ in documents(f"train {options.seed}", options.documents)]
    held_out = list(documents(f"held-out {options.seed}", HELD_OUT_DOCUMENTS))
    tokenizer = train_tokenizer(texts[:TOKENIZER_DOCUMENTS])
    rows = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    held_out_rows = [tokenizer.encode(text, add_special_tokens=False).ids for text, _ in held_out]
    predicted = sum(len(row) - 1 for row in held_out_rows)
    entropy = sum(nats for _, nats in held_out) / predicted
    print(f"{sum(map(len, rows)):,} tokens; entropy at most {entropy:.4f} nats per token", flush=True)

    model, seen = pretrain(rows, held_out_rows, options.steps, options.seed)
    export_model(model, tokenizer, folder)
    model = load_model(folder)
    make_data(model, tokenizer, data, options.seed)
    write_golden(model, tokenizer, data / "kind-endings/heldout.jsonl", ROOT / "tools/pretrain/golden.json")
    figures = {
        "seed": options.seed,
        "steps": options.steps,
        "tokens": seen,
        "loss": evaluate(model, held_out_rows),
        "entropy": entropy,
        "tokens_per_document": predicted / HELD_OUT_DOCUMENTS,
    }
    write_card(model, tokenizer, folder, data, figures)
    if options.out == ROOT / "public":
        sys.exit(subprocess.run([sys.executable, str(ROOT / "tools/corpus/check.py")], check=False).returncode)


if __name__ == "__main__":
    main()
