/** The policy being trained: adapters on the model's frozen weights, or a copy of the weights themselves. */
import { adapterTrainables, createAdapters, type InitialValues, type Trainable } from "../adapters/lora.ts";
import { createRandom } from "../data/random.ts";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import { copy, dispose } from "../tensor/run.ts";
import type { RunConfig } from "./config.ts";

/** Weights to run and the parameters among them that train. The model itself stays as it was: it is the reference. */
export interface Policy {
  readonly weights: Weights;
  readonly trainables: readonly Trainable[];
  readonly dispose: () => void;
}

/** The settings of a run that shape its policy. */
export type PolicySettings = Pick<RunConfig, "tuning" | "loraRank" | "loraAlpha" | "loraTargets" | "seed">;

/** A policy that still equals the model; `initial` replaces the adapters' drawn values. */
export function createPolicy(model: Model, settings: PolicySettings, initial?: InitialValues): Policy {
  const policy = settings.tuning === "lora" ? loraPolicy(model, settings, initial) : fullPolicy(model);
  return {
    ...policy,
    dispose: () => {
      dispose(policy.trainables.map(({ tensor }) => tensor));
    },
  };
}

function loraPolicy(
  model: Model,
  settings: PolicySettings,
  initial?: InitialValues,
): Omit<Policy, "dispose"> {
  const adapters = createAdapters(
    model,
    { rank: settings.loraRank, alpha: settings.loraAlpha, targets: settings.loraTargets },
    { random: createRandom(settings.seed), ...(initial === undefined ? {} : { initial }) },
  );
  const weights = { base: model.base, adapters, dropout: null };
  return { weights, trainables: adapterTrainables(adapters) };
}

function fullPolicy(model: Model): Omit<Policy, "dispose"> {
  const base = new Map([...model.base].map(([name, tensor]) => [name, copy(tensor)]));
  const trainables = [...base].map(([name, tensor]) => ({ name, tensor }));
  return { weights: { base, adapters: new Map(), dropout: null }, trainables };
}

/** How many numbers train: with LoRA rank · (in + out) per adapted module. */
export function countTrainable(model: Model, settings: PolicySettings): number {
  let count = 0;
  for (const [name, { shape, size }] of model.base) {
    if (settings.tuning === "full") {
      count += size;
      continue;
    }
    const module = name.replace(/\.weight$/, "");
    const suffix = module.slice(module.lastIndexOf(".") + 1);
    const isAdapted =
      module.startsWith("model.layers.") && settings.loraTargets.some((target) => target === suffix);
    if (isAdapted) count += settings.loraRank * ((shape[0] ?? 0) + (shape[1] ?? 0));
  }
  return count;
}
