"""Compares logits of the weights of GGUF files, read by transformers, with those of the models that they were written from.

python3 tools/interop/gguf_models.py FOLDER, where every folder inside holds config.json, changes.json, model.safetensors and model.gguf.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig

TOLERANCE = 1e-4
TOKENS = 14


def read_config(folder: Path) -> PreTrainedConfig:
    fields = json.loads((folder / "config.json").read_text())
    return AutoConfig.for_model(**fields | json.loads((folder / "changes.json").read_text()))


def original(folder: Path) -> torch.nn.Module:
    config = read_config(folder)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32)
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=not config.tie_word_embeddings)
    return model.eval()


def written(folder: Path) -> torch.nn.Module:
    # transformers does not read every field of a configuration from GGUF, such as the width of Qwen 3's heads.
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file="model.gguf",
        config=read_config(folder),
        attn_implementation="eager",
        dtype=torch.float32,
    )
    return model.eval()


def main() -> int:
    failures = 0
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
        tokens = torch.randint(3, vocabulary, (1, TOKENS), generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            expected = original(folder)(tokens).logits
            found = written(folder)(tokens).logits
        worst = float((expected - found).abs().max())
        failures += worst > TOLERANCE
        print(f"{folder.name}: largest difference of a logit {worst:.2e} of {float(expected.abs().max()):.2f}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
