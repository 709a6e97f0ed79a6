"""Numbers that another implementation of the forward pass has to reproduce."""

from pathlib import Path

import torch
from tokenizers import Tokenizer

from pretrain.export import write_json
from pretrain.model import StoryModel
from pretrain.pairs import read_pairs
from pretrain.scoring import answer_logps


@torch.no_grad()
def write_golden(model: StoryModel, tokenizer: Tokenizer, data_file: Path, path: Path) -> None:
    """Writes ids, last-token logits and answer log-probabilities of the first held-out pair, in float64."""
    precise = model.double()
    pair = read_pairs(data_file)[0]
    prompt_ids, chosen_ids = pair.ids(tokenizer, pair.chosen)
    _, rejected_ids = pair.ids(tokenizer, pair.rejected)
    chosen, rejected = answer_logps(precise, [(prompt_ids, chosen_ids), (prompt_ids, rejected_ids)])
    write_json(
        path,
        {
            "prompt": pair.prompt,
            "prompt_ids": prompt_ids,
            "last_token_logits": precise(torch.tensor([prompt_ids]))[0, -1].tolist(),
            "chosen": pair.chosen,
            "chosen_ids": chosen_ids,
            "chosen_logp": chosen,
            "rejected": pair.rejected,
            "rejected_ids": rejected_ids,
            "rejected_logp": rejected,
        },
    )
    model.float()
