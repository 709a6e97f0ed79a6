/** The Python script of an exported project: TRL's trainer where it has the objective, or one with the loss brought along. */
import type { RunConfig } from "../../training/config.ts";
import { secondPrefix } from "../../losses/mix.ts";
import { pythonHelpers, pythonLosses } from "./pythonLosses.ts";
import type { PythonArguments, Recipe } from "./recipes.ts";

/** What a script is written for. */
export interface ScriptSources {
  readonly config: RunConfig;
  readonly recipe: Recipe;
  /** Words for the objective, such as `DPO`. */
  readonly label: string;
  /** Repository or folder of the model that is tuned. */
  readonly base: string;
  /** Layers whose output the autoencoders in `saes/0`, `saes/1`, … read; empty where none is needed. */
  readonly saeLayers: readonly number[];
  /** Token whose rows no autoencoder knows. */
  readonly startToken: number | null;
}

const trainers = {
  dpo: { import: "from trl import DPOConfig, DPOTrainer", config: "DPOConfig", trainer: "TokenTrainer" },
  own: { import: "from trl import DPOConfig, DPOTrainer", config: "DPOConfig", trainer: "StudioTrainer" },
  cpo: {
    import: "from trl.experimental.cpo import CPOConfig, CPOTrainer",
    config: "CPOConfig",
    trainer: "TokenTrainer",
  },
  kto: { import: "from trl import KTOConfig, KTOTrainer", config: "KTOConfig", trainer: "TokenTrainer" },
  sft: { import: "from trl import SFTConfig, SFTTrainer", config: "SFTConfig", trainer: "SFTTrainer" },
} as const;

/** Arguments that Python writes as `name=value`, one a line. */
function lines(values: PythonArguments, indent: string): string {
  return Object.entries(values)
    .map(([name, value]) => `${indent}${name}=${value},`)
    .join("\n");
}

function settingsOf({ config, recipe }: ScriptSources): PythonArguments {
  const { schedule, maxGradNorm, batchPairs } = config;
  const isPaired = recipe.trainer !== "kto";
  return {
    learning_rate: config.learningRate,
    lr_scheduler_type: schedule === "constant" ? '"constant_with_warmup"' : `"${schedule}"`,
    warmup_steps: config.warmupSteps,
    weight_decay: config.weightDecay,
    max_grad_norm: maxGradNorm,
    max_steps: config.steps,
    // Chosen and rejected answers are rows of their own there.
    per_device_train_batch_size: isPaired ? batchPairs : 2 * batchPairs,
    gradient_accumulation_steps: config.accumulationSteps,
    max_length: config.maxTokens,
    seed: config.seed,
    ...(config.loraDropout > 0 && recipe.trainer !== "sft" ? { disable_dropout: "False" } : {}),
    ...recipe.arguments,
  };
}

/** The script. */
export function trainScript(sources: ScriptSources): string {
  const { recipe, config } = sources;
  const { trainer } = recipe;
  const parts = [
    head(sources),
    data[trainer],
    ...(trainer === "own" ? [ownTrainer(sources)] : trainerParts[trainer]),
    main(sources),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n\n")}\n`.replaceAll(
    "LORA_DROPOUT",
    String(config.loraDropout),
  );
}

function head(sources: ScriptSources): string {
  const { label, base, recipe, config } = sources;
  const { trainer } = recipe;
  return `"""${label}, continued in TRL on the tokens that Prefscope trains on, in the same order.

    pip install -r requirements.txt
    accelerate launch --config_file accelerate.yaml train.py --model PATH_OR_REPOSITORY
"""

import argparse
import json
${trainer === "own" ? "import contextlib\nimport math\n" : ""}from pathlib import Path
${trainer === "own" ? "from types import SimpleNamespace\n" : ""}
import torch
${trainer === "own" ? "import torch.nn.functional as F\n" : ""}from datasets import Dataset
${config.tuning === "lora" ? "from peft import PeftModel\n" : ""}${
    trainer === "own" && sources.saeLayers.length > 0 ? "from safetensors.torch import load_file\n" : ""
  }from transformers import AutoModelForCausalLM, AutoTokenizer
${trainers[trainer].import}
${
  trainer === "own"
    ? "from trl.trainer.dpo_trainer import DataCollatorForPreference\nfrom trl.trainer.utils import use_adapter\n"
    : ""
}
FOLDER = Path(__file__).parent
MODEL = ${JSON.stringify(base)}
SETTINGS = dict(
${lines(settingsOf(sources), "    ")}
)


def pairs(name):
    with open(FOLDER / "data" / f"{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]`;
}

const pairColumns = `def dataset(name):
    """The tokens as they were trained; the texts beside them are for people."""
    columns = ("prompt_ids", "chosen_ids", "rejected_ids", "reward_gap", "weight", "mismatched_ids")
    return Dataset.from_list([{key: row[key] for key in columns if key in row} for row in pairs(name)])`;

const data: Readonly<Record<Recipe["trainer"], string>> = {
  dpo: pairColumns,
  own: pairColumns,
  cpo: `def dataset(name):
    """The tokens as they were trained; TRL asks for texts beside them."""
    texts = {"prompt": "", "chosen": "", "rejected": ""}
    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    return Dataset.from_list([{**texts, **{key: row[key] for key in columns}} for row in pairs(name)])`,
  kto: `def dataset(name):
    """Every answer as a row of its own, with the answer of another pair that measures how far the model has drifted."""
    rows = []
    for row in pairs(name):
        for side, label in (("chosen_ids", True), ("rejected_ids", False)):
            rows.append(
                {
                    "prompt_ids": row["prompt_ids"],
                    "completion_ids": row[side],
                    "KL_completion_ids": row["mismatched_ids"],
                    "label": label,
                }
            )
    return Dataset.from_list(rows)`,
  sft: `def dataset(name):
    """The preferred answers; the mask leaves the prompts out of the loss."""
    rows = []
    for row in pairs(name):
        mask = [0] * len(row["prompt_ids"]) + [1] * len(row["chosen_ids"])
        rows.append({"input_ids": row["prompt_ids"] + row["chosen_ids"], "completion_mask": mask})
    return Dataset.from_list(rows)`,
};

const tokenTrainer = (base: string) => `class TokenTrainer(${base}):
    """Takes the tokens as they are, instead of making them from the texts again."""

    def _prepare_dataset(self, dataset, *_arguments, **_named):
        return dataset`;

const trainerParts: Readonly<Record<Exclude<Recipe["trainer"], "own">, readonly string[]>> = {
  dpo: [tokenTrainer("DPOTrainer")],
  kto: [tokenTrainer("KTOTrainer")],
  sft: [],
  cpo: [
    `class TokenTrainer(CPOTrainer):
    """Takes the tokens as they are, instead of making them from the texts again."""

    def tokenize_row(self, feature, model=None):
        prompt = feature["prompt_ids"]
        row = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
        for side in ("chosen", "rejected"):
            answer = feature[f"{side}_ids"]
            row[f"{side}_input_ids"] = prompt + answer
            row[f"{side}_attention_mask"] = [1] * len(prompt + answer)
            row[f"{side}_labels"] = [-100] * len(prompt) + answer
        return row`,
  ],
};

/** One term of the loss: a function of the statistics and the knobs of its objective. */
function lossFunction(method: string): string {
  const body = pythonLosses[method] ?? [];
  return `def ${method}(s, p):\n${body.map((line) => `    ${line}`).join("\n")}`;
}

function knobsOf(params: RunConfig["params"], prefix: string): string {
  const own = Object.entries(params)
    .filter(([key]) => (prefix === "" ? !key.startsWith(secondPrefix) : key.startsWith(prefix)))
    .map(([key, value]) => `"${key.slice(prefix.length)}": ${value}`);
  return `{${own.join(", ")}}`;
}

function termsOf({ method, methodWeight, secondMethod, secondWeight, sftWeight, params }: RunConfig): string {
  const terms = [`${methodWeight} * ${method}(s, ${knobsOf(params, "")})`];
  if (secondMethod !== "")
    terms.push(`${secondWeight} * ${secondMethod}(s, ${knobsOf(params, secondPrefix)})`);
  if (sftWeight > 0) terms.push(`${sftWeight} * nll(s)`);
  return terms.join(" + ");
}

function ownTrainer(sources: ScriptSources): string {
  const { config, saeLayers } = sources;
  const methods = [config.method, ...(config.secondMethod === "" ? [] : [config.secondMethod])];
  return [
    pythonHelpers,
    ...[...new Set(methods)].map(lossFunction),
    `def pair_losses(s):\n    return ${termsOf(config)}`,
    ...(saeLayers.length > 0 ? [featurePart(sources)] : []),
    collator,
    trainerClass(saeLayers.length > 0),
  ].join("\n\n\n");
}

/** Pooling of an autoencoder's features behind a layer, and their drift from the reference's. */
function featurePart({ saeLayers, startToken, config }: ScriptSources): string {
  const { topK = 50, featureMode = 0 } = config.params;
  return `SAE_LAYERS = [${saeLayers.join(", ")}]
START_TOKEN = ${startToken ?? "None"}
TOP_K = ${topK}
# 0: features of either side; 1: as in the released code; 2: the list below.
FEATURE_MODE = ${featureMode}
HELD_FEATURES = [${config.heldFeatures.join(", ")}]


class Features:
    """JumpReLU features of the residual stream behind a layer, pooled over the scored tokens of an answer."""

    def __init__(self, index, device):
        weights = load_file(FOLDER / "saes" / str(index) / "sae_weights.safetensors", device=str(device))
        self.encoder, self.bias, self.threshold = weights["W_enc"], weights["b_enc"], weights["threshold"]

    def pool(self, stream, input_ids, mask):
        before = stream[:, :-1].float() @ self.encoder + self.bias
        active = torch.relu(before) * (before > self.threshold)
        rows = mask if START_TOKEN is None else mask * (input_ids[:, :-1] != START_TOKEN)
        divisor = mask.shape[1] if FEATURE_MODE == 1 else mask.sum(1, keepdim=True)
        return (active * rows.unsqueeze(-1)).sum(1) / divisor


def top(pooled):
    """The largest features of every answer, those above zero only."""
    largest = pooled.topk(min(TOP_K, pooled.shape[1]), dim=1)
    return torch.zeros_like(pooled, dtype=torch.bool).scatter(1, largest.indices, largest.values > 0)


def drift(policy, reference):
    """Squared drift of each answer's features; the lists have one entry an autoencoder."""
    difference = torch.cat(policy, 1) - torch.cat(reference, 1)
    if FEATURE_MODE == 2:
        return (difference[:, HELD_FEATURES] ** 2).sum(1) / len(HELD_FEATURES)
    counted = torch.cat([top(own.detach()) for own in policy], 1)
    if FEATURE_MODE == 0:
        counted = counted | torch.cat([top(own) for own in reference], 1)
    return (difference**2 * counted).sum(1) / TOP_K`;
}

const collator = `class Collator(DataCollatorForPreference):
    """Batches as DPO's, with what the data says of each pair."""

    def torch_call(self, examples):
        batch = super().torch_call(examples)
        for name in ("reward_gap", "weight"):
            if name in examples[0]:
                batch[name] = torch.tensor([example[name] for example in examples], dtype=torch.float32)
        if "mismatched_ids" in examples[0]:
            rows = [
                {"prompt_ids": row["prompt_ids"], "chosen_ids": row["mismatched_ids"], "rejected_ids": row["mismatched_ids"]}
                for row in examples
            ]
            mismatched = super().torch_call(rows)
            for name in ("input_ids", "attention_mask", "completion_mask"):
                batch[f"mismatched_{name}"] = mismatched[name][: len(examples)]
        return batch`;

function trainerClass(hasFeatures: boolean): string {
  const tap = hasFeatures
    ? `        streams = {}
        decoder = self.accelerator.unwrap_model(self.model)
        decoder = decoder.get_base_model() if hasattr(decoder, "get_base_model") else decoder
        layers = decoder.get_decoder().layers
        hooks = [
            layers[layer].register_forward_hook(
                lambda _module, _inputs, output, layer=layer: streams.update(
                    {layer: output[0] if isinstance(output, tuple) else output}
                )
            )
            for layer in SAE_LAYERS
        ]
        try:
            logits = model(**inputs, use_cache=False).logits
        finally:
            for hook in hooks:
                hook.remove()
        pooled = [
            sae.pool(streams[layer], inputs["input_ids"], mask) for sae, layer in zip(self.saes, SAE_LAYERS, strict=True)
        ]`
    : `        logits = model(**inputs, use_cache=False).logits
        pooled = []`;
  return `class StudioTrainer(DPOTrainer):
    """DPO's trainer with the loss of \`pair_losses\`, on the tokens as they are."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.data_collator = Collator(pad_token_id=self.processing_class.pad_token_id, max_length=self.args.max_length)${
          hasFeatures
            ? "\n        self.saes = [Features(index, self.accelerator.device) for index in range(len(SAE_LAYERS))]"
            : ""
        }

    def _prepare_dataset(self, dataset, *_arguments, **_named):
        return dataset

    def reference(self):
        if self.ref_model is not None:
            return contextlib.nullcontext()
        model = self.accelerator.unwrap_model(self.model)
        return use_adapter(model, adapter_name="ref" if "ref" in model.peft_config else None)

    def measure(self, model, batch, prefix=""):
        inputs = {name: batch[prefix + name] for name in ("input_ids", "attention_mask")}
        mask = batch[prefix + "completion_mask"][:, 1:]
${tap}
        log_probs = logits[:, :-1].float().log_softmax(-1)
        labels = inputs["input_ids"][:, 1:]
        own = log_probs.gather(-1, labels.unsqueeze(-1)).squeeze(-1) * mask
        return SimpleNamespace(log_probs=log_probs, own=own, logps=own.sum(1), mask=mask, pooled=pooled)

    def _compute_loss(self, model, inputs, return_outputs):
        policy = self.measure(model, inputs)
        with torch.no_grad(), self.reference():
            reference = self.measure(self.ref_model or self.model, inputs)
        tokens = policy.mask.sum(1)
        kl = ((reference.log_probs.exp() * (reference.log_probs - policy.log_probs)).sum(-1) * policy.mask).sum(1)
        squares = torch.logsumexp(2 * policy.log_probs.detach(), -1)
        values = {
            "logps": policy.logps,
            "reference": reference.logps,
            "ratio": policy.logps - reference.logps,
            "tokens": tokens,
            "kl": kl,
            "confidence": ((policy.own.detach() - squares) * policy.mask).sum(1) / tokens,
        }
        if policy.pooled:
            values["drift"] = drift(policy.pooled, reference.pooled)
        sides = [SimpleNamespace(**{name: value.chunk(2)[side] for name, value in values.items()}) for side in (0, 1)]
        s = SimpleNamespace(c=sides[0], r=sides[1], gap=inputs.get("reward_gap"), weight=inputs.get("weight"))
        if "mismatched_input_ids" in inputs:
            with torch.no_grad():
                drifted = self.measure(model, inputs, "mismatched_").logps
                with self.reference():
                    s.mismatched = drifted - self.measure(self.ref_model or self.model, inputs, "mismatched_").logps
        self.note(s)
        loss = pair_losses(s).mean()
        return (loss, None) if return_outputs else loss

    def note(self, s):
        metrics = self._metrics["train" if self.model.training else "eval"]
        for name, side in (("chosen", s.c), ("rejected", s.r)):
            metrics[f"logps/{name}"].append(side.logps.mean().item())
            metrics[f"rewards/{name}"].append(self.beta * side.ratio.mean().item())
            metrics[f"kl/{name}"].append(side.kl.mean().item())
            if hasattr(side, "drift"):
                metrics[f"features/mse_{name}"].append(side.drift.mean().item())
        metrics["rewards/margins"].append(self.beta * margin(s).mean().item())`;
}

function main({ config, recipe, base }: ScriptSources): string {
  const { config: settings, trainer } = trainers[recipe.trainer];
  const isLora = config.tuning === "lora";
  const quantized =
    config.baseWeights === "q4"
      ? `    # The studio holds the base in 4 bits of its own kind; on a cluster bitsandbytes' NF4 is the nearest:
    # quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")\n`
      : "";
  return `def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=MODEL, help="repository or folder of ${base}")
    parser.add_argument("--output", default="trained")
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
${quantized}    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
${
  isLora
    ? `    # The adapter's first values are the studio's, so that the runs can be compared step by step.
    model = PeftModel.from_pretrained(model, FOLDER / "adapter", is_trainable=True)
    for module in model.modules():
        if hasattr(module, "lora_dropout"):
            for dropout in module.lora_dropout.values():
                dropout.p = LORA_DROPOUT\n`
    : ""
}    arguments = ${settings}(
        output_dir=options.output,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        gradient_checkpointing=False,
        bf16=False,
        logging_steps=1,
        report_to="none",
        **SETTINGS,
    )
    trainer = ${trainer}(
        model=model,
        args=arguments,
        train_dataset=dataset("train"),
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_model(options.output)
    Path(options.output, "log.json").write_text(json.dumps(trainer.state.log_history, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()`;
}
