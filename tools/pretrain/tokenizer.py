"""Trains the byte-level BPE tokenizer and writes its two files."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from corpus.documents import ASSISTANT, BOS, END, EOS, USER

SPECIAL_TOKENS = (BOS, EOS, USER, ASSISTANT, END)
VOCABULARY_SIZE = 768
BYTES = 256
MERGES = 48
CONTEXT_LENGTH = 128

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def _byte_level() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """The texts between special tokens."""
    special = "|".join(map(re.escape, SPECIAL_TOKENS))
    for text in texts:
        yield from (piece for piece in re.split(special, text) if piece)


def _common_words(pieces: Iterable[str]) -> list[str]:
    """Words as the pre-tokenizer cuts them, the most common first."""
    split = _byte_level()
    counts = Counter(word for piece in pieces for word, _ in split.pre_tokenize_str(piece))
    return sorted(counts, key=lambda word: (-counts[word], word))


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """A byte-level BPE with few merges, whose vocabulary also holds the most common words whole.

    All 256 bytes are in the vocabulary, so every text can be written. `ignore_merges` lets a word that is in the
    vocabulary stand for itself, which saves the entries that its intermediate merges would take.
    """
    pieces = list(_pieces(texts))
    trainer = trainers.BpeTrainer(
        vocab_size=len(SPECIAL_TOKENS) + BYTES + MERGES,
        special_tokens=[AddedToken(token, normalized=False, special=True) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _byte_level()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(pieces, trainer)

    description = json.loads(tokenizer.to_str())
    vocabulary = description["model"]["vocab"]
    for word in _common_words(pieces):
        if len(vocabulary) == VOCABULARY_SIZE:
            break
        vocabulary.setdefault(word, len(vocabulary))
    description["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(description))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT_LENGTH,
        "bos_token": BOS,
        "eos_token": EOS,
        "pad_token": EOS,
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {
                "content": token,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "single_word": False,
                "special": True,
            }
            for token in SPECIAL_TOKENS
        },
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer in a model folder."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of a text whose special tokens are written out."""
    return tokenizer.encode(text, add_special_tokens=False).ids
