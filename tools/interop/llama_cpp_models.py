"""Compares next-token log-probs of GGUF files in llama.cpp itself with those of the models that they were written from.

python3 tools/interop/llama_cpp_models.py FOLDER, as gguf_models.py; it needs the package xllamacpp.
"""

import json
import sys
from pathlib import Path

import torch
import xllamacpp
from gguf_models import TOKENS, original

# llama.cpp takes GELU from a table of binary16; models without it differ by 1e-6.
TOLERANCE = 1e-3
TOP = 8


def open_server(file: Path) -> xllamacpp.Server:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(file)
    parameters.n_ctx = 64
    parameters.n_parallel = 1
    parameters.warmup = False
    parameters.verbosity = -1
    parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
    parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    return xllamacpp.Server(parameters)


def log_probs(file: Path, tokens: list[int]) -> dict[int, float]:
    answer = open_server(file).handle_completions(
        {"prompt": tokens, "n_predict": 1, "temperature": 0, "n_probs": TOP, "cache_prompt": False}
    )
    [first] = answer["choices"][0]["logprobs"]["content"]
    return {each["id"]: each["logprob"] for each in first["top_logprobs"]}


def main() -> int:
    failures = 0
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
        tokens = torch.randint(3, vocabulary, (1, TOKENS), generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            expected = original(folder)(tokens).logits[0, -1].log_softmax(-1)
        found = log_probs(folder / "model.gguf", tokens[0].tolist())
        worst = max(abs(value - float(expected[token])) for token, value in found.items())
        failures += worst > TOLERANCE
        print(f"{folder.name}: largest difference of the {TOP} best log-probs {worst:.2e}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
