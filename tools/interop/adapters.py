"""PEFT's side of adapters.mjs: what it computes with a studio's export, and an adapter that it makes itself.

    python adapters.py has                                  whether what is needed is installed
    python adapters.py load BASE ADAPTER MERGED IDS         logits with the adapter on the base, and of the merged folder
    python adapters.py make BASE FOLDER IDS                 writes adapters with ranks and scales by module, and their logits
    python adapters.py score BASE REWARD FOLDER IDS         rewards of a studio's reward model and of one that it writes itself

IDS is a JSON list of token ids; logits are printed as JSON, a row for each of them.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def open_base(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].double().tolist()


def load(base, adapter, merged, ids):
    model = PeftModel.from_pretrained(open_base(base), adapter).eval()
    # PEFT loads what fits and says nothing of the rest.
    own = {name.replace(".default.", ".") for name, _ in model.named_parameters() if "lora_" in name}
    given = set(load_file(Path(adapter) / "adapter_model.safetensors"))
    assert own == given, sorted(own ^ given)[:4]
    return {"adapter": logits_of(model, ids), "merged": logits_of(open_base(merged), ids)}


def make(base, folder, ids):
    torch.manual_seed(1)
    found = {}
    for name, dtype in TYPES.items():
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=4,
            lora_alpha=6,
            target_modules=["q_proj", "v_proj", "down_proj", "gate_proj"],
            rank_pattern={"v_proj": 2, "layers.1.mlp.down_proj": 3},
            alpha_pattern={"q_proj": 3, r".*\.0\.mlp\.gate_proj": 9},
            use_rslora=name == "float16",
            init_lora_weights=False,
        )
        model = get_peft_model(open_base(base), config).eval()
        for key, value in model.named_parameters():
            if "lora_" in key:
                value.data = (0.3 * torch.randn_like(value)).to(dtype).float()
        target = Path(folder) / name
        model.save_pretrained(target)
        weights = target / "adapter_model.safetensors"
        save_file({key: value.to(dtype) for key, value in load_file(weights).items()}, weights)
        found[name] = logits_of(model, ids)
    return found


def open_classifier(folder):
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    # With a padding token the last one that is not padding is read; one text alone has none.
    model.config.pad_token_id = None
    return model.eval()


def rewards_of(model, ids):
    """Rewards of every beginning of the text, one by one."""
    with torch.no_grad():
        return [
            model(torch.tensor([ids[:count]])).logits[0, 0].double().item()
            for count in range(1, len(ids) + 1)
        ]


def score(base, reward, folder, ids):
    given = load_file(Path(reward) / "adapter_model.safetensors")
    model = PeftModel.from_pretrained(open_classifier(base), reward).eval()
    head = model.base_model.model.score.modules_to_save["default"].weight
    assert torch.equal(head, given["base_model.model.score.weight"])
    found = {"given": rewards_of(model, ids)}
    torch.manual_seed(2)
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=4,
        lora_alpha=6,
        target_modules=["q_proj", "v_proj", "down_proj"],
        alpha_pattern={"q_proj": 3},
        init_lora_weights=False,
    )
    model = get_peft_model(open_classifier(base), config).eval()
    for key, value in model.named_parameters():
        if "lora_" in key or "score" in key:
            value.data = 0.3 * torch.randn_like(value)
    model.save_pretrained(folder)
    found["made"] = rewards_of(model, ids)
    return found


if __name__ == "__main__":
    command, *given = sys.argv[1:]
    if command == "has":
        print("yes")
    else:
        *folders, ids = given
        print(json.dumps({"load": load, "make": make, "score": score}[command](*folders, json.loads(ids))))
