/** A run as a project that goes on with it in TRL and PEFT: a script, its data as JSON lines, and what it starts from. */
import { promptOf, type TokenPair } from "../../data/tokenPair.ts";
import { microBatches, stepPairs } from "../../training/batches.ts";
import type { RunConfig } from "../../training/config.ts";
import { recipeOf, type Recipe } from "./recipes.ts";
import { trainScript } from "./trainScript.ts";

/** A file of the project by its path in it. */
export interface ProjectFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Texts of a pair as the model reads them. */
export interface PairTexts {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

/** What a project is made of. */
export interface ProjectSources {
  readonly config: RunConfig;
  /** Words for the objective, such as `DPO`. */
  readonly label: string;
  /** Repository or folder of the model that is tuned. */
  readonly base: string;
  readonly train: readonly TokenPair[];
  readonly heldout: readonly TokenPair[];
  readonly textsOf: (pair: TokenPair) => PairTexts;
  /** PEFT's files of the adapter that the run starts from; empty where all weights train. */
  readonly adapter: readonly ProjectFile[];
  /** SAELens files of the autoencoders that the objective compares, with the layer each reads; empty where it compares none. */
  readonly saes: readonly { readonly layer: number; readonly files: readonly ProjectFile[] }[];
  readonly startToken: number | null;
}

/** Versions that the scripts were run with (tools/interop). */
const requirements = [
  "torch>=2.6",
  "transformers==5.24.0",
  "trl==1.16.0",
  "peft==0.21.2",
  "accelerate>=1.15",
  "datasets>=5.2",
  "safetensors>=0.8",
];

const accelerate = `compute_environment: LOCAL_MACHINE
# For several GPUs: distributed_type: MULTI_GPU, num_processes: their number, and a batch divided by it.
distributed_type: "NO"
machine_rank: 0
mixed_precision: "no"
num_machines: 1
num_processes: 1
use_cpu: false
`;

/** Writes the project. Source of the trainers: huggingface/trl 1.16. */
export function trlProject(sources: ProjectSources): ProjectFile[] {
  const { config, label, base, saes, startToken } = sources;
  const recipe = recipeFor(sources);
  const saeLayers = saes.map(({ layer }) => layer);
  const script = trainScript({ config, recipe, label, base, saeLayers, startToken });
  const needsMismatched = [config.method, config.secondMethod].includes("kto");
  return [
    text("train.py", script),
    text("requirements.txt", `${requirements.join("\n")}\n`),
    text("accelerate.yaml", accelerate),
    text("README.md", readme(sources, recipe.trainer)),
    text("prefscope-config.json", `${JSON.stringify(config, null, 2)}\n`),
    text("data/train.jsonl", rowsOf(inOrder(config, sources.train), sources, needsMismatched)),
    text("data/heldout.jsonl", rowsOf(sources.heldout, sources, false)),
    ...sources.adapter.map(({ name, bytes }) => ({ name: `adapter/${name}`, bytes })),
    ...saes.flatMap(({ files }, index) =>
      files.map(({ name, bytes }) => ({ name: `saes/${index}/${name}`, bytes })),
    ),
  ];
}

function recipeFor({ config, train }: Pick<ProjectSources, "config" | "train">): Recipe {
  const { method, params, methodWeight, secondMethod, sftWeight } = config;
  const isSum = secondMethod !== "" || sftWeight > 0 || methodWeight !== 1;
  const recipe = recipeOf(method, params, isSum);
  // TRL's own DPO puts both answers behind one prompt.
  return recipe.trainer === "dpo" && hasTwoPrompts(train) ? recipeOf(method, params, true) : recipe;
}

function hasTwoPrompts(pairs: readonly TokenPair[]): boolean {
  return pairs.some(({ rejectedPrompt }) => rejectedPrompt !== undefined);
}

function text(name: string, content: string): ProjectFile {
  return { name, bytes: new TextEncoder().encode(content) };
}

/** The pairs in the order in which the run's first epoch reads them; those that it does not reach come last. */
function inOrder(config: RunConfig, pairs: readonly TokenPair[]): TokenPair[] {
  const pairsOf = stepPairs(config, pairs);
  const perStep = config.batchPairs * config.accumulationSteps;
  const read = new Set<TokenPair>();
  for (let step = 1; step <= Math.ceil(pairs.length / perStep); step++) {
    for (const pair of pairsOf(step)) read.add(pair);
  }
  return [...read, ...pairs.filter((pair) => !read.has(pair))];
}

function rowsOf(
  pairs: readonly TokenPair[],
  { config, textsOf }: ProjectSources,
  needsMismatched: boolean,
): string {
  // A column is in every row or in none.
  const isApart = hasTwoPrompts(pairs);
  const rows = microBatches(config, pairs).flatMap((batch) =>
    batch.map((pair, index) => {
      const side = index % 2 === 0 ? "chosen" : "rejected";
      const answer = batch[(index + 1) % batch.length]?.[side] ?? new Int32Array();
      return JSON.stringify({
        ...textsOf(pair),
        prompt_ids: [...pair.prompt],
        chosen_ids: [...pair.chosen],
        rejected_ids: [...pair.rejected],
        ...(isApart ? { rejected_prompt_ids: [...promptOf(pair, "rejected")] } : {}),
        ...(pair.rewardGap === undefined ? {} : { reward_gap: pair.rewardGap }),
        ...(pair.weight === undefined ? {} : { weight: pair.weight }),
        ...(needsMismatched ? { mismatched_ids: [...answer] } : {}),
        ...(needsMismatched && isApart ? { mismatched_prompt_ids: [...promptOf(pair, side)] } : {}),
      });
    }),
  );
  return `${rows.join("\n")}\n`;
}

const trainerWords = {
  dpo: "TRL's `DPOTrainer`",
  cpo: "TRL's `CPOTrainer`",
  kto: "TRL's `KTOTrainer`",
  sft: "TRL's `SFTTrainer`",
  own: "a small subclass of TRL's `DPOTrainer` in `train.py`, because TRL has no such loss",
} as const;

function readme({ config, label, base }: ProjectSources, trainer: keyof typeof trainerWords): string {
  const stepPairsCount = config.batchPairs * config.accumulationSteps;
  return `# ${label} on ${base}

\`\`\`
pip install -r requirements.txt
accelerate launch --config_file accelerate.yaml train.py --model PATH_OR_REPOSITORY
\`\`\`

The model is \`${base}\`. What trains it is ${trainerWords[trainer]}.

- \`data/\` has the pairs as text and as the tokens that were trained, in the order of the run's first epoch
  (${stepPairsCount} pairs a step). The script takes the tokens: nothing depends on another tokenizer's or template's ways.
- \`adapter/\` has the values that the run starts from; its reference is that adapter, or the bare model where all weights
  train.
- Later epochs read the pairs in the same order, where the studio draws a new one.
- With several micro-batches a step, means over tokens are taken micro-batch by micro-batch.
- Everything is computed in 32 bits, as in the studio. For a large model set \`bf16=True\` and \`gradient_checkpointing=True\`.
`;
}
