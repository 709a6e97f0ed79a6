"""Makes every embedded asset: corpus, tokenizer, model, preference sets, golden numbers, model card.

    python3 tools/pretrain/main.py --force --seed 0

Without --force, assets that are already there are left alone.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT / "public"
sys.path.insert(0, str(ROOT / "tools"))


def main() -> None:
    """Reads the options, makes the assets and checks them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--force", action="store_true", help="replace the model and the data that are already there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--documents", type=int, default=128_000)
    parser.add_argument("--threads", type=int, default=1, help="the result is repeatable for one number of threads")
    parser.add_argument("--out", type=Path, default=PUBLIC, help="folder for models/ and data/")
    parser.add_argument("--golden", type=Path, default=ROOT / "tools/pretrain/golden.json")
    options = parser.parse_args()
    if (options.out / "models/story/model.safetensors").exists() and not options.force:
        print(f"{options.out}/models/story is already made; --force makes it again")
        return

    # Imported late, so that the answer above needs neither time nor PyTorch.
    from pretrain.build import build

    build(options)
    if options.out == PUBLIC:
        sys.exit(subprocess.run([sys.executable, str(ROOT / "tools/corpus/check.py")], check=False).returncode)


if __name__ == "__main__":
    main()
