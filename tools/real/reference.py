"""What Hugging Face's Python makes of a GGUF file: ids of texts, rendered chats, logits and text of the dequantised model.

python3 reference.py FILE.gguf OUT_FOLDER writes reference.json and one .f32 file of logits a prompt.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

GENERATED = 24
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
    "http://example.com/a?b=c&d=%20e",
    "I'LL we'Ve THEY'RE",
]
CHATS = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 2+2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "Thanks"},
    ],
]


def main() -> None:
    file, out = Path(sys.argv[1]), Path(sys.argv[2])
    folder = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**folder)
    # What transformers makes of a GGUF file leaves out that SmolLM2's own tokenizer.json splits digits.
    codec = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    codec.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    model = AutoModelForCausalLM.from_pretrained(**folder, dtype=torch.float32).eval()
    chats = []
    for index, messages in enumerate(CHATS):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = codec.encode(text, add_special_tokens=False).ids
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1].float()
            written = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=GENERATED)
        (out / f"logits-{index}.f32").write_bytes(logits.numpy().astype("<f4").tobytes())
        chats.append(
            {
                "messages": messages,
                "text": text,
                "ids": ids,
                "generated": written[0, len(ids) :].tolist(),
                "generatedText": codec.decode(written[0, len(ids) :].tolist()),
            }
        )
    reference = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "texts": [{"text": text, "ids": codec.encode(text, add_special_tokens=False).ids} for text in TEXTS],
        "chats": chats,
    }
    (out / "reference.json").write_text(json.dumps(reference), encoding="utf-8")


if __name__ == "__main__":
    main()
