"""Writes the corpus as text, one document a line, and prints how rich it is.

    python3 tools/corpus/emit.py --documents 60000 --out corpus.txt
"""

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from corpus.documents import documents  # noqa: E402

_MARKER = re.compile(r"<[^<>]*>")
_SENTENCE = re.compile(r'[^.?!]+[.?!]"?')


def sentences(text: str) -> list[str]:
    """The sentences of a document. A special token ends one too: a question and its answer never count as one."""
    return [sentence.strip() for part in _MARKER.split(text) for sentence in _SENTENCE.findall(part)]


def main() -> None:
    """Emits documents and counts sentences: what has been seen once is possible, so the count is a lower bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=300_000)
    parser.add_argument("--seed", default="corpus")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    seen: set[str] = set()
    nats = 0.0
    lines = []
    for text, document_nats in documents(options.seed, options.documents):
        nats += document_nats
        seen.update(sentences(text))
        if options.out:
            lines.append(text)
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"documents {options.documents}, distinct sentences at least {len(seen)}")
    print(f"nats per document {nats / options.documents:.2f}")


if __name__ == "__main__":
    main()
