/** What a run is made of: a configuration with what the session has loaded for it. */
import type { OnlinePrompt, OnlineSetup } from "../engine/online/onlineSetup.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { SamplePrompt, SampleSettings } from "../engine/training/samples.ts";
import type { TrainingRun } from "../engine/training/train.ts";
import { objectiveOf } from "./configProblems.ts";
import type { DeskSource } from "./featureDesk.ts";
import type { KeptReference, OwnModel } from "./keptReference.ts";
import { pairText, promptText, type LoadedData } from "./library.ts";
import { adapterPrint } from "./referenceIdentity.ts";

const noText = { prompt: "", chosen: "", rejected: "" };

/** Pairs with what is known of the reference on them. */
export interface OwnData extends LoadedData {
  readonly kept: KeptReference;
}

/** What a run needs of the session. */
export interface RunParts {
  readonly owner: OwnModel;
  readonly data: OwnData;
  /** Null where no autoencoder is at hand. */
  readonly features: DeskSource | null;
}

/** Prompts of the training pairs, each once, with its first pair. */
function onlinePrompts({ onlinePrompts: most }: RunConfig, { train, trainRows }: LoadedData): OnlinePrompt[] {
  const known = new Map<string, OnlinePrompt>();
  for (const pair of train) {
    const key = pair.prompt.join(" ");
    if (known.has(key)) continue;
    if (most > 0 && known.size === most) break;
    const row = trainRows[pair.row];
    const { prompt: text, chosen, rejected } = row === undefined ? noText : pairText(row);
    known.set(key, { text, ids: pair.prompt, pair, chosen, rejected });
  }
  return [...known.values()];
}

/** The first held-out prompts, each once: answers to one prompt from one stream are no two answers. */
function heldoutPrompts({ samplePrompts: most }: RunConfig, data: LoadedData): SamplePrompt[] {
  const known = new Map<string, SamplePrompt>();
  for (const prompt of promptsOf(data, data.heldout.length)) {
    const key = prompt.ids.join(" ");
    if (known.size < most && !known.has(key)) known.set(key, prompt);
  }
  return [...known.values()];
}

/** What the rounds of a run are made of. */
export function onlineSetup(
  config: RunConfig,
  { owner, data }: Omit<RunParts, "features">,
  judges: Pick<OnlineSetup, "judges" | "heldoutJudge" | "signal">,
): OnlineSetup {
  return {
    ...judges,
    prompts: onlinePrompts(config, data),
    heldoutPrompts: heldoutPrompts(config, data),
    tokenizer: owner.tokenizer,
    now: () => performance.now(),
  };
}

/** A run of the training loop; what is known of a reference with other adapters, and features of other autoencoders, are forgotten. */
export function trainingRun(config: RunConfig, { owner, data, features }: RunParts): TrainingRun {
  data.kept.useAdapter(adapterPrint(owner.model.standing?.sum, config));
  if (features !== null) data.kept.useFeatures(features.print);
  return {
    model: owner.model,
    features,
    config,
    objective: objectiveOf(config),
    trainPairs: data.train,
    heldoutPairs: data.heldout,
    reference: data.kept.cache,
    live: { learningRate: config.learningRate, evalEvery: config.evalEvery },
  };
}

/** The first held-out prompts. */
export function promptsOf({ heldout, heldoutRows }: LoadedData, count: number): SamplePrompt[] {
  return heldout.slice(0, count).map((pair) => ({
    text: promptText(heldoutRows[pair.row]),
    ids: pair.prompt,
  }));
}

/** How answers are drawn and scored. */
export function samplingOf(config: RunConfig, { owner, data }: Omit<RunParts, "features">): SampleSettings {
  return {
    model: owner.model,
    tokenizer: owner.tokenizer,
    judge: data.judge,
    maxNewTokens: config.sampleTokens,
    temperature: config.sampleTemperature,
    seed: config.seed,
  };
}
