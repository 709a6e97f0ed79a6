/** Settings that a schema cannot judge because they depend on the method or the model. */
import { adaptedModules } from "../engine/adapters/lora.ts";
import { objectives } from "../engine/losses/index.ts";
import { mixObjectives } from "../engine/losses/mix.ts";
import type { Objective, ParameterSpec } from "../engine/losses/objective.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { isPackedWeight, isShardedWeight } from "../engine/kernels/weightLayout/packedWeight.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import { whyNotOnline } from "../engine/online/rounds.ts";
import { checkFeatureOptions } from "../engine/sae/featureErrors.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { totalWidth } from "../engine/training/featureTap.ts";
import { driftOptions, type FeatureSource } from "../engine/training/measures.ts";
import { whyNotOn } from "../engine/training/policy.ts";
import { refuse } from "./errorReport.ts";
import type { FoundFeatures } from "./featureDesk.ts";
import type { LoadedData } from "./library.ts";
import type { Preflight } from "./protocol.ts";

/** What a configuration trains: its method's objective, summed with what it mixes in. Refuses unknown methods. */
export function objectiveOf(config: RunConfig): Objective {
  const { sftWeight, secondMethod, methodWeight, secondWeight } = config;
  return mixObjectives({
    first: objectiveNamed(config.method),
    firstWeight: methodWeight,
    second: secondMethod === "" ? null : objectiveNamed(secondMethod),
    secondWeight,
    sftWeight,
  });
}

/** The configuration without a second method that does not exist. */
export function withKnownSecond(config: RunConfig): RunConfig {
  return Object.hasOwn(objectives, config.secondMethod) ? config : { ...config, secondMethod: "" };
}

/** Whether an objective can be measured with the autoencoders that there are. */
export function canMeasure({ needs }: Pick<Objective, "needs">, source: FeatureSource | null): boolean {
  return source !== null || !needs.includes("features");
}

function objectiveNamed(id: string): Objective {
  const objective = Object.entries<Objective>(objectives).find(([name]) => name === id)?.[1];
  return objective ?? refuse("CFG-1", `There is no method "${id}".`);
}

/** Refuses a run on another model than its configuration names, or on one whose matrices lie otherwise on the device. */
export function refuseOtherModel(
  config: Pick<RunConfig, "model" | "baseWeights">,
  { id, weights }: { readonly id: string; readonly weights: RunConfig["baseWeights"] },
): void {
  if (config.model !== id) refuse("CFG-1", `The model "${config.model}" is not loaded.`);
  if (config.baseWeights === weights) return;
  const held = `The base weights were loaded as "${weights}"`;
  refuse("CFG-1", `${held}, and the setup asks for "${config.baseWeights}": load the model again.`);
}

/** Refuses a run on pairs that were read otherwise than its configuration says. */
export function refuseOtherPairs(config: RunConfig, { id, settings }: LoadedData): void {
  if (config.data !== id) refuse("CFG-1", `The preference set "${config.data}" is not loaded.`);
  for (const field of ["objective", "maxTokens", "terminator"] as const) {
    if (config[field] === settings[field]) continue;
    refuse("CFG-1", `The pairs were read with ${field} "${settings[field]}", not "${config[field]}".`);
  }
  const { dataLayout: layout, dataColumns: columns, dataSteps: steps } = config;
  for (const [what, asked, read] of [
    ["columns", { layout, columns }, { layout: settings.layout, columns: settings.columns }],
    ["steps", steps, settings.steps],
  ] as const) {
    if (JSON.stringify(asked) === JSON.stringify(read)) continue;
    refuse("CFG-1", `The pairs were read with other ${what} than the setup has: load them again.`);
  }
}

/** What a run trains on. */
export interface RunParts {
  readonly loaded: Pick<LoadedModel, "model">;
  readonly data: Pick<LoadedData, "train" | "heldout">;
  readonly features: FoundFeatures;
}

/** What keeps a configuration from being trained, field by field. Refuses an unknown first method. */
export function configProblems(config: RunConfig, parts: RunParts): Preflight["problems"] {
  const { data, features } = parts;
  const { model } = parts.loaded;
  const known = withKnownSecond(config);
  const problems = objectiveOf(known).parameters.flatMap((spec) => knobProblems(spec, config.params));
  const say = (field: string, message: string) => problems.push({ field, message });
  if (known.secondMethod !== config.secondMethod) {
    say("secondMethod", `There is no method "${config.secondMethod}".`);
  }
  for (const field of ["method", "secondMethod"] as const) {
    if (known[field] === "") continue;
    const objective = objectiveNamed(known[field]);
    problems.push(
      ...dataProblems(objective, config, [...data.train, ...data.heldout]).map((message) => ({
        field,
        message,
      })),
      ...setupProblems(objective, config, data.heldout.length),
      ...featureProblems(objective, config, { field, features }),
    );
  }
  if (features.problem !== null) say("saes", features.problem);
  const { methodWeight, secondMethod, secondWeight, sftWeight } = known;
  if (methodWeight + sftWeight + (secondMethod === "" ? 0 : secondWeight) === 0) {
    say("methodWeight", "Every loss is multiplied by 0: nothing would be trained.");
  }
  if (config.maxTokens > model.config.maxPositions) {
    const limit = model.config.maxPositions;
    say("maxTokens", `Texts of ${config.maxTokens} tokens; this model reads ${limit}.`);
  }
  if (config.tuning === "full") {
    const message = frozenProblem(model);
    if (message !== null) say("tuning", message);
  }
  if (config.tuning === "lora" && adaptedModules(model, { targets: config.loraTargets }).length === 0) {
    say("loraTargets", "No module of this model carries an adapter; choose at least one.");
  }
  const unfit = whyNotOn(model, config);
  if (unfit !== null) say(unfit.field, unfit.message);
  const undivided = config.rounds > 0 ? whyNotOnline(config) : null;
  if (undivided !== null) say(undivided.field, undivided.message);
  // Where both methods ask for another batch or adapter, one sentence at its field is enough.
  const isFirst = ({ field }: { field: string }, index: number) =>
    problems.findIndex((other) => other.field === field) === index;
  return problems.filter(isFirst);
}

/** Why the matrices of a model cannot train themselves; null where they can. */
export function frozenProblem({ base }: LoadedModel["model"]): string | null {
  for (const weight of base.values()) {
    if (isShardedWeight(weight))
      return "The embedding lies in several parts, because this device cannot bind it at once: train an adapter.";
    if (isPackedWeight(weight))
      return `Full fine-tuning changes matrices of 32-bit floats, and these are ${weight.layout}: set the base weights to f32, or train an adapter.`;
  }
  return null;
}

/** What an objective needs that the model or the pairs do not have. */
function dataProblems(
  objective: Objective,
  { rounds }: Pick<RunConfig, "rounds">,
  pairs: readonly TokenPair[],
): string[] {
  const { needs, label } = objective;
  const problems: string[] = [];
  const found = (count: number) =>
    count === pairs.length ? "these pairs have none" : `${count} of ${pairs.length} pairs have none`;
  const single = pairs.filter(({ rejected }) => rejected.length === 0).length;
  if (objective.group !== "imitate" && single > 0) {
    const remedy = "choose SFT, or a set with two answers to a prompt";
    problems.push(`${label} needs a rejected answer, and ${found(single)}: ${remedy}.`);
  }
  const apart = pairs.filter(({ rejectedPrompt }) => rejectedPrompt !== undefined).length;
  if (objective.group !== "imitate" && objective.group !== "unpaired" && apart > 0) {
    const remedy = "choose KTO, AOT unpaired or SFT, or a set with two answers to a prompt";
    problems.push(
      `${label} compares two answers to one prompt, and ${apart} of ${pairs.length} pairs have answers to two prompts: ${remedy}.`,
    );
  }
  const scoreless = pairs.filter(({ rewardGap }) => rewardGap === undefined).length;
  // The judges of online rounds score the pairs.
  if (needs.includes("rewardGap") && scoreless > 0 && rounds === 0) {
    const remedy = "choose a set with a judge, or a file with score_chosen and score_rejected";
    problems.push(`${label} weights pairs by a judge's scores, and ${found(scoreless)}: ${remedy}.`);
  }
  if (needs.includes("pairWeight") && rounds > 0) {
    problems.push(
      `${label} reads the column "weight", which answers that rounds draw do not have: train without rounds, or choose another method.`,
    );
  }
  const weightless = pairs.filter(({ weight }) => weight === undefined).length;
  if (needs.includes("pairWeight") && weightless > 0) {
    const remedy = "open a .jsonl file that has it, or choose another method";
    problems.push(`${label} reads the column "weight", and ${found(weightless)}: ${remedy}.`);
  }
  if (needs.includes("pairWeight") && pairs.every(({ weight }) => weight === 0)) {
    problems.push(`${label} reads the column "weight", and it is 0 in all ${pairs.length} pairs.`);
  }
  return problems;
}

/** What keeps an objective from comparing features, and the list of held ones from being measured. */
function featureProblems(
  objective: Objective,
  config: RunConfig,
  { field, features }: { readonly field: string; readonly features: FoundFeatures },
): Preflight["problems"] {
  const { source, problem } = features;
  const isCompared = objective.needs.includes("features");
  if (problem !== null) return [];
  if (source === null) {
    if (!isCompared) return [];
    const remedy = "open one that was trained on this model, or train one, under Features";
    const message = `${objective.label} compares features, and no sparse autoencoder is at hand: ${remedy}.`;
    return [{ field, message }];
  }
  try {
    const width = totalWidth(source);
    const { heldFeatures } = config;
    if (isCompared) checkFeatureOptions(driftOptions(config), width);
    // A list is measured with every method.
    if (heldFeatures.length > 0) checkFeatureOptions({ mode: "held", topK: 1, heldFeatures }, width);
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ field: "heldFeatures", message: error.message }];
  }
}

/** What of the setup does not go with an objective. */
function setupProblems(
  { needs, label, comparesPairs = false }: Objective,
  { batchPairs, evalPairs, tuning }: RunConfig,
  heldout: number,
): Preflight["problems"] {
  const problems: Preflight["problems"][number][] = [];
  if (needs.includes("tokenKl") && tuning === "full") {
    const message = `${label} reads the reference through the head it shares: train an adapter.`;
    problems.push({ field: "tuning", message });
  }
  if (!comparesPairs) return problems;
  const compares = `${label} compares the pairs of a batch with one another: it needs at least 2`;
  if (batchPairs < 2) problems.push({ field: "batchPairs", message: `${compares}.` });
  if (Math.min(evalPairs, heldout) < 2) {
    problems.push({ field: "evalPairs", message: `${compares} to be evaluated on.` });
  }
  return problems;
}

/** What is wrong with one knob of a method: missing, out of its range, or between two whole numbers. */
function knobProblems(
  { key, label, minimum, maximum, choices, isWhole = choices !== undefined, ...spec }: ParameterSpec,
  params: RunConfig["params"],
): Preflight["problems"][number][] {
  const field = `params.${key}`;
  // Runs and links that are older than an optional knob do not have it.
  const value = params[key] ?? (spec.isOptional === true ? spec.default : undefined);
  if (value === undefined || !(value >= minimum && value <= maximum)) {
    const found = value === undefined ? "missing" : String(value);
    return [{ field, message: `${label} is ${found}; it goes from ${minimum} to ${maximum}.` }];
  }
  if (!isWhole || Number.isInteger(value)) return [];
  return [{ field, message: `${label} is ${value}; it takes whole numbers only.` }];
}
