"""The model card, written from measured figures."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from tokenizers import Tokenizer

from corpus.judge import score
from pretrain.model import StoryModel
from pretrain.pairs import Pair, read_pairs
from pretrain.scoring import sample

_FILES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
_PROMPTS_PER_OBJECTIVE = 3


def _samples(model: StoryModel, tokenizer: Tokenizer, pairs: list[Pair]) -> list[str]:
    stops = {tokenizer.token_to_id("</s>"), tokenizer.token_to_id("<|end|>")}
    generator = torch.Generator().manual_seed(7)
    lines = []
    for pair in pairs:
        prompt_ids, _ = pair.ids(tokenizer, pair.chosen)
        lines.append(f"* **{pair.prompt}**")
        for label, temperature in (("greedy", 0.0), ("T = 0.8", 0.8), ("T = 0.8", 0.8)):
            answer = tokenizer.decode(sample(model, prompt_ids, stops, temperature, generator)).strip()
            lines.append(f"  * {label} ({score(pair.objective, pair.prompt, answer):+.2f}): {answer}")
    return lines


def write_card(model: StoryModel, tokenizer: Tokenizer, folder: Path, data: Path, figures: Mapping[str, float]) -> None:
    """Writes MODEL_CARD.md. `figures` holds seed, steps, tokens, loss, entropy and tokens_per_document."""
    held_out = read_pairs(data / "kind-endings/heldout.jsonl") + read_pairs(data / "helpful-harmless/heldout.jsonl")
    size = sum(parameter.numel() for parameter in model.parameters())
    config = model.config
    lines = [
        "# Story: the embedded language model",
        "",
        "Written by `tools/pretrain/main.py`. The model and every text it has read come from this project's own",
        "grammar (`tools/corpus`); nothing was taken from elsewhere. It tells two-part stories and answers short",
        "questions, in either of two styles whatever the prompt: kind or unkind endings, helpful or evasive answers,",
        "harmless or harmful advice (toys, mud and cookies). It is made for learning a preference and knows nothing else.",
        "",
        "| | |",
        "| --- | --- |",
        f"| Architecture | `LlamaForCausalLM`: {config.num_hidden_layers} layers, hidden {config.hidden_size}, "
        f"{config.num_attention_heads} query and {config.num_key_value_heads} key/value heads of {config.head_dim}, "
        f"intermediate {config.intermediate_size}, context {config.max_position_embeddings}, tied embeddings |",
        f"| Parameters | {size:,} (float32) |",
        f"| Vocabulary | {config.vocab_size}, byte-level BPE |",
        f"| Training | {figures['steps']:,} steps, {figures['tokens']:,} tokens, seed {figures['seed']}, AdamW |",
        f"| Held-out loss | {figures['loss']:.4f} nats per token, perplexity {math.exp(figures['loss']):.3f} |",
        f"| The corpus' own entropy | at most {figures['entropy']:.4f} nats per token, "
        f"perplexity {math.exp(figures['entropy']):.3f} |",
        f"| Tokens per document | {figures['tokens_per_document']:.1f} |",
        "",
        "The entropy is minus the log-probability of the derivations of the same held-out text under the grammar,",
        "divided by its tokens: an upper bound, because one text can have several derivations.",
        "",
        "## Samples",
        "",
        "From held-out prompts; in brackets the score of the matching judge, from -1 to 1.",
    ]
    for objective in ("kind", "helpful", "harmless"):
        chosen = [pair for pair in held_out if pair.objective == objective][:_PROMPTS_PER_OBJECTIVE]
        lines += ["", f"### {objective.capitalize()}", "", *_samples(model, tokenizer, chosen)]
    lines += ["", "## Checksums (SHA-256)", "", "```"]
    lines += [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in _FILES]
    lines += ["```", ""]
    (folder / "MODEL_CARD.md").write_text("\n".join(lines), encoding="utf-8")
