"""Log-probabilities of answers and sampling, in batches."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from pretrain.model import StoryModel

IGNORED = -100


def pad(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    """Rows padded on the right to one length, [rows, time]."""
    longest = max(map(len, rows))
    return torch.tensor([list(row) + [fill] * (longest - len(row)) for row in rows])


def label_logps(model: StoryModel, ids: Tensor, labels: Tensor) -> Tensor:
    """Summed log-probability of the labels that are not ignored, one value a row."""
    logits = model(ids[:, :-1])
    targets = labels[:, 1:]
    losses = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none")
    return -losses.sum(-1)


def answer_batch(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
    """Ids and labels of (prompt ids, answer ids) rows; prompt and padding are ignored."""
    ids = pad([prompt + answer for prompt, answer in rows], 0)
    labels = pad([[IGNORED] * len(prompt) + answer for prompt, answer in rows], IGNORED)
    return ids, labels


@torch.no_grad()
def answer_logps(model: StoryModel, rows: Sequence[tuple[list[int], list[int]]], batch: int = 128) -> list[float]:
    """Summed log-probability of every answer given its prompt."""
    values: list[float] = []
    for start in range(0, len(rows), batch):
        values += label_logps(model, *answer_batch(rows[start : start + batch])).tolist()
    return values


@torch.no_grad()
def sample(
    model: StoryModel, prompt: list[int], stops: set[int], temperature: float, generator: torch.Generator
) -> list[int]:
    """One continuation without its terminator; temperature 0 takes the likeliest token."""
    ids = list(prompt)
    while len(ids) < model.config.max_position_embeddings:
        logits = model(torch.tensor([ids]))[0, -1]
        if temperature == 0:
            token = int(logits.argmax())
        else:
            token = int(torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator))
        if token in stops:
            break
        ids.append(token)
    return ids[len(prompt) :]
