"""Golden files of every architecture: what Hugging Face's transformers computes in float64 for tiny random models.

python3 tools/golden/main.py [NAME ...] writes tools/golden/<name>/{config.json, model.safetensors, golden.json}.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from cases import ADAPTED, CASES

FOLDER = Path(__file__).parent
LARGEST_FOLDER_BYTES = 200_000
# Longer than every window, of two lengths, so that both sides of a flat batch are seen.
LENGTHS = (14, 9)
# Spread of the values of norms and biases, and of the products of a matrix.
SMALL_SPREAD = 0.2
MATRIX_SPREAD = 1.2


def build(config: dict) -> torch.nn.Module:
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(**config), attn_implementation="eager", dtype=torch.float32
    )
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                # Norm gains start at their neutral value, biases at 0.
                parameter.copy_(parameter + SMALL_SPREAD * noise)
            else:
                parameter.copy_(MATRIX_SPREAD * noise / parameter.shape[-1] ** 0.5)
    return model.eval()


def first_layer(model: torch.nn.Module) -> torch.nn.Module:
    base = model.base_model
    return (base.h if hasattr(base, "h") else base.layers)[0]


def draw(vocabulary: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randint(3, vocabulary, (length,), generator=generator) for length in LENGTHS]


def compute(model: torch.nn.Module, vocabulary: int) -> dict:
    sequences = draw(vocabulary)
    streams: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, arguments: tuple) -> tuple:
        stream = arguments[0].detach().requires_grad_()
        streams.append(stream)
        return (stream, *arguments[1:])

    hook = first_layer(model).register_forward_pre_hook(keep)
    logits, logps = [], []
    for tokens in sequences:
        # The last token predicts nothing that is known.
        rows = model(input_ids=tokens[None], use_cache=False).logits[0, :-1]
        logits.append(rows)
        logps.append(rows.log_softmax(-1).gather(1, tokens[1:, None])[:, 0])
    hook.remove()
    mean = torch.cat(logps).mean()
    gradients = torch.autograd.grad(mean, streams)
    return {
        "tokens": [tokens.tolist() for tokens in sequences],
        "logits": [rounded(rows) for rows in logits],
        "meanLogp": mean.item(),
        "gradient": [rounded(gradient[0]) for gradient in gradients],
    }


def adapt(model: torch.nn.Module, targets: list[str], folder: Path) -> torch.nn.Module:
    """Gives the linears random adapters, and writes them as PEFT does."""
    config = LoraConfig(r=2, lora_alpha=6, target_modules=targets, task_type="CAUSAL_LM")
    adapted = get_peft_model(model.float(), config)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / parameter.shape[-1] ** 0.5)
    with TemporaryDirectory() as saved:
        adapted.save_pretrained(saved)
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            copyfile(Path(saved) / file, folder / file)
    return adapted.eval()


def rounded(values: torch.Tensor) -> list[float]:
    assert values.dtype == torch.float64
    return [float(f"{value:.8g}") for value in values.detach().flatten().tolist()]


def in_float64(model: torch.nn.Module, work: Callable):
    """The models ask for 32 bit inside their norms and softmax; meanwhile that means 64."""
    float32, to_float = torch.float32, torch.Tensor.float
    model.double()
    torch.float32, torch.Tensor.float = torch.float64, torch.Tensor.double
    try:
        return work()
    finally:
        torch.float32, torch.Tensor.float = float32, to_float


def write(name: str) -> None:
    torch.manual_seed(0)
    config = CASES[name]
    model = build(config)
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as saved:
        # Saving gives the names that files on the hub have.
        model.save_pretrained(saved)
        copyfile(Path(saved) / "model.safetensors", folder / "model.safetensors")
    golden = in_float64(model, lambda: compute(model, config["vocab_size"]))
    if name in ADAPTED:
        adapted = adapt(model, ADAPTED[name], folder)
        sequences = draw(config["vocab_size"])
        golden["adaptedLogits"] = in_float64(
            adapted,
            lambda: [rounded(adapted(input_ids=tokens[None], use_cache=False).logits[0, :-1]) for tokens in sequences],
        )
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    assert size <= LARGEST_FOLDER_BYTES, f"{name}: {size} bytes"
    spread = max(abs(value) for rows in golden["logits"] for value in rows)
    steepest = max(abs(value) for rows in golden["gradient"] for value in rows)
    print(f"{name}: {size} bytes, largest logit {spread:.3g}, largest gradient {steepest:.3g}")


if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        write(case)
