"""What gguf-py, the format's own Python package, reads from random blocks of every type of GGUF.

python3 tools/golden/blocks.py writes tools/golden/gguf/blocks.json: blocks in hexadecimal and their values in 32 bits.
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

BLOCKS = 2
# Where the binary16 scales of a block lie: random bits would make infinities.
SCALES = {
    "Q8_0": [0],
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q4_K": [0, 2],
    "Q5_K": [0, 2],
    "Q6_K": [208],
}


def blocks_of(name: str, generator: np.random.Generator) -> np.ndarray:
    _, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    blocks = generator.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for offset in SCALES[name]:
        scales = generator.normal(0, 0.05, (BLOCKS, 1)).astype("<f2")
        blocks[:, offset : offset + 2] = scales.view(np.uint8)
    return blocks


def main() -> None:
    generator = np.random.default_rng(1)
    golden = {}
    for name in SCALES:
        blocks = blocks_of(name, generator)
        values = quants.dequantize(blocks, GGMLQuantizationType[name]).reshape(-1)
        golden[name] = {"blocks": blocks.tobytes().hex(), "values": [float(value) for value in values]}
    values = generator.normal(0, 1, 64).astype(np.float32)
    for name in ("F16", "Q8_0"):
        stored = quants.quantize(values, GGMLQuantizationType[name])
        golden[f"{name} written"] = {"values": [float(value) for value in values], "blocks": stored.tobytes().hex()}
    target = Path(__file__).parent / "gguf" / "blocks.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
