"""Pretraining: next-token prediction over the corpus, on the CPU, repeatable by seed."""

import math
import random
import time
from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F

from pretrain.model import ModelConfig, StoryModel
from pretrain.scoring import IGNORED, pad

BATCH_DOCUMENTS = 64
PEAK_LEARNING_RATE = 6e-3
WARMUP_STEPS = 100
WEIGHT_DECAY = 0.05
# Batches are cut from sorted stretches of this many batches, so that little is padding.
SORTED_BATCHES = 32


def batches(documents: Sequence[list[int]], seed: int) -> Iterator[list[list[int]]]:
    """Batches of documents of similar length, in random order, epoch after epoch."""
    shuffler = random.Random(seed)
    order = list(range(len(documents)))
    stretch = BATCH_DOCUMENTS * SORTED_BATCHES
    while True:
        shuffler.shuffle(order)
        for start in range(0, len(order) - stretch + 1, stretch):
            rows = sorted(order[start : start + stretch], key=lambda row: len(documents[row]))
            starts = list(range(0, stretch, BATCH_DOCUMENTS))
            shuffler.shuffle(starts)
            for first in starts:
                yield [documents[row] for row in rows[first : first + BATCH_DOCUMENTS]]


def learning_rate(step: int, steps: int) -> float:
    """A linear warm-up, then a cosine down to nothing."""
    if step < WARMUP_STEPS:
        return PEAK_LEARNING_RATE * (step + 1) / WARMUP_STEPS
    progress = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return PEAK_LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * progress))


def token_losses(model: StoryModel, rows: Sequence[list[int]]) -> tuple[torch.Tensor, int]:
    """Summed loss over the tokens of the rows and how many they are."""
    ids, labels = pad(rows, 0), pad(rows, IGNORED)
    logits = model(ids[:, :-1])
    targets = labels[:, 1:]
    total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")
    return total, int((targets != IGNORED).sum())


@torch.no_grad()
def evaluate(model: StoryModel, documents: Sequence[list[int]]) -> float:
    """Mean loss per predicted token, in nats."""
    total, count = 0.0, 0
    for start in range(0, len(documents), BATCH_DOCUMENTS):
        loss, tokens = token_losses(model, documents[start : start + BATCH_DOCUMENTS])
        total, count = total + loss.item(), count + tokens
    return total / count


def pretrain(documents: Sequence[list[int]], held_out: Sequence[list[int]], steps: int, seed: int) -> tuple[StoryModel, int]:
    """Trains a new model; returns it and the number of tokens it has seen."""
    torch.manual_seed(seed)
    model = StoryModel(ModelConfig())
    model.initialise(seed)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.9, 0.98),
    )
    seen, started = 0, time.monotonic()
    source = batches(documents, seed)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        loss, tokens = token_losses(model, next(source))
        optimizer.zero_grad()
        (loss / tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen += tokens
        if step % 200 == 0 or step == steps - 1:
            elapsed = time.monotonic() - started
            print(f"step {step}: held-out {evaluate(model, held_out[:512]):.4f} nats, {elapsed:.0f} s", flush=True)
    return model, seen
