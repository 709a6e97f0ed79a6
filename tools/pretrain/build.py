"""All steps from the grammar to the embedded files, in order."""

import argparse

import torch

from corpus.documents import documents
from pretrain.card import write_card
from pretrain.export import export_model, load_model
from pretrain.golden import write_golden
from pretrain.pairs import make_data
from pretrain.tokenizer import train_tokenizer
from pretrain.train import evaluate, pretrain

TOKENIZER_DOCUMENTS = 60_000
HELD_OUT_DOCUMENTS = 2_000


def build(options: argparse.Namespace) -> None:
    """Writes the model and the data below `options.out`, and the golden numbers."""
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
    write_golden(model, tokenizer, data / "kind-endings/heldout.jsonl", options.golden)
    figures = {
        "seed": options.seed,
        "steps": options.steps,
        "tokens": seen,
        "loss": evaluate(model, held_out_rows),
        "entropy": entropy,
        "tokens_per_document": predicted / HELD_OUT_DOCUMENTS,
    }
    write_card(model, tokenizer, folder, data, figures)
