"""How fast a LoRA adapter learns each preference: DPO, SimPO and SFT on the shipped data.

    python3 tools/pretrain/simulate.py --method dpo --objective kind --learning-rate 2e-3
"""

import argparse
import copy
import random
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from corpus.judge import score  # noqa: E402
from pretrain.export import load_model  # noqa: E402
from pretrain.model import StoryModel  # noqa: E402
from pretrain.pairs import Pair, read_pairs  # noqa: E402
from pretrain.scoring import answer_batch, answer_logps, label_logps, sample  # noqa: E402
from pretrain.tokenizer import load_tokenizer  # noqa: E402

PAIRS_PER_STEP = 8
SAMPLES = 32
WARMUP_STEPS = 5


class LoraLinear(nn.Module):
    """A frozen linear layer plus a trained low-rank update."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + F.linear(F.linear(x, self.down), self.up) * self.scale


def with_lora(base: StoryModel, rank: int, alpha: float) -> StoryModel:
    """A copy in which every linear layer of the decoder carries an adapter."""
    policy = copy.deepcopy(base).requires_grad_(False)
    for layer in policy.model.layers:
        for block in (layer.self_attn, layer.mlp):
            for name, child in list(block.named_children()):
                setattr(block, name, LoraLinear(child, rank, alpha))
    return policy


def scheduled(options: argparse.Namespace, step: int) -> float:
    """The learning rate: a short warm-up, then a straight line down to nothing."""
    return options.learning_rate * min((step + 1) / WARMUP_STEPS, max(0.0, 1 - step / options.steps))


def loss_of(method: str, policy: Tensor, reference: Tensor, lengths: Tensor, options: argparse.Namespace) -> Tensor:
    """The batch loss; the first half of every tensor is chosen, the second rejected."""
    if method == "sft":
        chosen = len(policy) // 2
        return -policy[:chosen].sum() / lengths[:chosen].sum()
    values = policy - reference if method == "dpo" else policy / lengths
    chosen, rejected = values.chunk(2)
    gamma = options.gamma if method == "simpo" else 0.0
    return -F.logsigmoid(options.beta * (chosen - rejected) - gamma).mean()


def report(step: int, policy: StoryModel, base: StoryModel, pairs: list[Pair], tokenizer: Tokenizer) -> None:
    """Prints held-out accuracy (by log-ratio), the judge's mean score of samples and how likely the base finds them."""
    rows = [pair.ids(tokenizer, text) for pair in pairs for text in (pair.chosen, pair.rejected)]
    ratios = [now - before for now, before in zip(answer_logps(policy, rows), answer_logps(base, rows), strict=True)]
    margins = [better - worse for better, worse in zip(ratios[::2], ratios[1::2], strict=True)]
    accuracy = sum(margin > 0 for margin in margins) / len(margins)
    stops = {tokenizer.token_to_id("</s>"), tokenizer.token_to_id("<|end|>")}
    generator = torch.Generator().manual_seed(step)
    scores, samples, text = [], [], ""
    for pair in pairs[:SAMPLES]:
        prompt_ids, _ = pair.ids(tokenizer, pair.chosen)
        answer_ids = sample(policy, prompt_ids, stops, 1.0, generator)
        samples.append((prompt_ids, answer_ids))
        text = tokenizer.decode(answer_ids)
        scores.append(score(pair.objective, pair.prompt, text))
    base_loss = -sum(answer_logps(base, samples)) / max(1, sum(len(answer) for _, answer in samples))
    print(
        f"step {step:3d}: accuracy {accuracy:.3f}, margin {sum(margins) / len(margins):+.2f}, "
        f"chosen {sum(ratios[::2]) / len(margins):+.2f}, "
        f"judge {sum(scores) / len(scores):+.3f}, base nats per token {base_loss:.2f} | {text.strip()}",
        flush=True,
    )


def main() -> None:
    """Trains one adapter and prints its progress."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=("dpo", "simpo", "sft"), default="dpo")
    parser.add_argument("--objective", choices=("kind", "helpful", "harmless"), default="kind")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--gamma", type=float, default=0.5)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(vars(options))

    torch.manual_seed(options.seed)
    base = load_model(ROOT / "public/models/story")
    tokenizer = load_tokenizer(ROOT / "public/models/story")
    folder = ROOT / "public/data" / ("kind-endings" if options.objective == "kind" else "helpful-harmless")
    train, held_out = (
        [pair for pair in read_pairs(folder / f"{split}.jsonl") if pair.objective == options.objective]
        for split in ("train", "heldout")
    )
    policy = with_lora(base, options.rank, options.alpha)
    optimizer = torch.optim.AdamW([p for p in policy.parameters() if p.requires_grad], weight_decay=0.0)
    shuffler = random.Random(options.seed)
    for step in range(options.steps + 1):
        if step in (0, 30, 60, options.steps):
            report(step, policy, base, held_out, tokenizer)
        batch = shuffler.sample(train, PAIRS_PER_STEP)
        rows = [pair.ids(tokenizer, pair.chosen) for pair in batch]
        rows += [pair.ids(tokenizer, pair.rejected) for pair in batch]
        ids, labels = answer_batch(rows)
        with torch.no_grad():
            reference = label_logps(base, ids, labels)
        lengths = torch.tensor([len(answer) for _, answer in rows], dtype=torch.float32)
        loss = loss_of(options.method, label_logps(policy, ids, labels), reference, lengths, options)
        optimizer.param_groups[0]["lr"] = scheduled(options, step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()
