"""The model folder in the layout that Hugging Face libraries read."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from corpus.documents import BOS, END, EOS
from pretrain.model import ModelConfig, StoryModel
from pretrain.tokenizer import write_tokenizer


def write_json(path: Path, value: object) -> None:
    """Writes indented JSON."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def export_model(model: StoryModel, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes config.json, generation_config.json, model.safetensors and the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    begin, end, turn_end = (tokenizer.token_to_id(token) for token in (BOS, EOS, END))
    write_json(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            **asdict(model.config),
            "hidden_act": "silu",
            "initializer_range": 0.05,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "mlp_bias": False,
            "rope_scaling": None,
            "pretraining_tp": 1,
            "tie_word_embeddings": True,
            "bos_token_id": begin,
            "eos_token_id": end,
            "pad_token_id": end,
            "torch_dtype": "float32",
            "use_cache": True,
        },
    )
    write_json(
        folder / "generation_config.json",
        {"bos_token_id": begin, "eos_token_id": [end, turn_end], "pad_token_id": end},
    )
    weights = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    write_tokenizer(tokenizer, folder)


def load_model(folder: Path) -> StoryModel:
    """The exported model."""
    model = StoryModel(ModelConfig())
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval()
