/** A setup as a project for TRL and PEFT, from what the session has loaded. */
import { trainableShape } from "../engine/adapters/lora.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { trlProject, type ProjectFile, type ProjectSources } from "../engine/export/trl/trlProject.ts";
import type { NamedArray } from "../engine/files/safetensors.ts";
import { toCheckpointAdapters } from "../engine/models/checkpointAdapters.ts";
import { read } from "../engine/tensor/run.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { createPolicy } from "../engine/training/policy.ts";
import type { Tokenizer } from "../engine/tokenizer/tokenizer.ts";
import { objectiveOf } from "./configProblems.ts";
import { refuse } from "./errorReport.ts";
import { adapterFiles } from "./exportFiles.ts";
import type { FoundFeatures } from "./featureDesk.ts";
import type { OwnModel } from "./keptReference.ts";
import type { LoadedData } from "./library.ts";
import type { ExportedFile } from "./protocol.ts";

/** What is loaded. */
export interface LoadedParts {
  readonly owner: OwnModel;
  readonly data: Pick<LoadedData, "train" | "heldout">;
  readonly features: FoundFeatures;
  /** SAELens files of an autoencoder at hand. */
  readonly saveSae: (id: string) => Promise<readonly ExportedFile[]>;
}

/** Writes the project; refuses an unknown method. */
export async function exportProject(config: RunConfig, parts: LoadedParts): Promise<ProjectFile[]> {
  const { owner, data } = parts;
  if (config.rounds > 0) {
    refuse(
      "CFG-1",
      `A run of ${config.rounds} online rounds draws its own pairs, and a project trains on pairs that are there: save the pairs of a round on the Online screen, open them as a data set, and take the project of that.`,
    );
  }
  const objective = objectiveOf(config);
  const { train, heldout } = data;
  return trlProject({
    config,
    label: objective.label,
    base: baseName(owner.id),
    train,
    heldout,
    textsOf: (pair) => textsOf(owner.tokenizer, pair),
    adapter: config.tuning === "lora" ? await startingAdapter(owner, config) : [],
    saes: objective.needs.includes("features") ? await saesOf(parts) : [],
    startToken: owner.tokenizer.bosTokenId,
  });
}

/** The repository of a model from the Hub, and the id of any other. */
function baseName(id: string): string {
  return /^hub:([^@#]+)/.exec(id)?.[1] ?? id.replace(/^disk:/, "");
}

function textsOf(tokenizer: Tokenizer, { prompt, chosen, rejected }: TokenPair) {
  const after = [...prompt];
  return {
    prompt: tokenizer.decode(after),
    chosen: tokenizer.decode([...chosen], { after }),
    rejected: tokenizer.decode([...rejected], { after }),
  };
}

/** The values that a run of this configuration starts from. */
async function startingAdapter(owner: OwnModel, config: RunConfig): Promise<ProjectFile[]> {
  const policy = createPolicy(owner.model, config);
  try {
    const arrays = new Map<string, NamedArray>();
    for (const { name, tensor } of policy.trainables) {
      const shape = trainableShape(owner.model, name, config.loraRank) ?? tensor.shape;
      arrays.set(name, { shape, values: (await read(tensor)) as Float32Array });
    }
    const adapters = toCheckpointAdapters(owner.model.config, arrays, config.loraAlpha);
    return adapterFiles(adapters, baseName(owner.id));
  } finally {
    policy.dispose();
  }
}

async function saesOf({ features, saveSae }: LoadedParts): Promise<ProjectSources["saes"]> {
  const { source } = features;
  if (source === null) return [];
  return Promise.all(
    source.saes.map(async ({ layer }, index) => ({
      layer,
      files: await saveSae(source.measured[index]?.id ?? ""),
    })),
  );
}
