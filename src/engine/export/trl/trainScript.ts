/** The Python script of an exported project: TRL's trainer where it has the objective, or one with the loss brought along. */
import { ownTrainer, type OwnSources } from "./ownTrainer.ts";
import type { PythonArguments, Recipe } from "./recipes.ts";

/** What a script is written for. */
export interface ScriptSources extends OwnSources {
  readonly recipe: Recipe;
  /** Words for the objective, such as `DPO`. */
  readonly label: string;
  /** Repository or folder of the model that is tuned. */
  readonly base: string;
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
${base.includes("/") ? `MODEL = ${JSON.stringify(base)}\n` : ""}SETTINGS = dict(
${lines(settingsOf(sources), "    ")}
)


def pairs(name):
    with open(FOLDER / "data" / f"{name}.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]`;
}

const pairColumns = `def dataset(name):
    """The tokens as they were trained; the texts beside them are for people."""
    texts = ("prompt", "chosen", "rejected")
    return Dataset.from_list([{key: row[key] for key in row if key not in texts} for row in pairs(name)])`;

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
            prompt = row["prompt_ids"] if label else row.get("rejected_prompt_ids", row["prompt_ids"])
            rows.append(
                {
                    "prompt_ids": prompt,
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
    parser.add_argument("--model", ${base.includes("/") ? "default=MODEL" : "required=True"}, help="repository or folder of ${base}")
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
