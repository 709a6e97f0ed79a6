/** Settings that a schema cannot judge because they depend on the method or the model. */
import { adaptedModules } from "../engine/adapters/lora.ts";
import { objectives } from "../engine/losses/index.ts";
import { mixObjectives } from "../engine/losses/mix.ts";
import type { Objective, ParameterSpec } from "../engine/losses/objective.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { refuse } from "./errorReport.ts";
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

/** A configuration without a second method that there is not, which `configProblems` tells of. */
export function withKnownSecond(config: RunConfig): RunConfig {
  const isKnown = config.secondMethod === "" || config.secondMethod in objectives;
  return isKnown ? config : { ...config, secondMethod: "" };
}

/** Whether the studio has what an objective needs; no model comes with a sparse autoencoder so far. */
export function canTrain({ needs }: Pick<Objective, "needs">): boolean {
  return !needs.includes("features");
}

/** Why the studio cannot train an objective for which it has not everything. */
export function whyNotOffered({ label }: Pick<Objective, "label">): string {
  return `${label} compares features, and no sparse autoencoder is loaded for this model`;
}

function objectiveNamed(id: string): Objective {
  const objective = Object.entries<Objective>(objectives).find(([name]) => name === id)?.[1];
  return objective ?? refuse("CFG-1", `There is no method "${id}".`);
}

/** Refuses a run on pairs that were read otherwise than its configuration says. */
export function refuseOtherPairs(config: RunConfig, { id, settings }: LoadedData): void {
  if (config.data !== id) refuse("CFG-1", `The preference set "${config.data}" is not loaded.`);
  for (const field of ["objective", "maxTokens", "terminator"] as const) {
    if (config[field] === settings[field]) continue;
    refuse("CFG-1", `The pairs were read with ${field} "${settings[field]}", not "${config[field]}".`);
  }
}

/** What keeps a configuration from being trained, field by field. */
export function configProblems(
  config: RunConfig,
  { model }: LoadedModel,
  data: Pick<LoadedData, "train" | "heldout">,
): Preflight["problems"] {
  const known = withKnownSecond(config);
  const problems = objectiveOf(known).parameters.flatMap((spec) => knobProblems(spec, config.params));
  if (known !== config) {
    problems.push({ field: "secondMethod", message: `There is no method "${config.secondMethod}".` });
  }
  problems.push(...needProblems(known, [...data.train, ...data.heldout]));
  if (config.maxTokens > model.config.maxPositions) {
    const limit = model.config.maxPositions;
    problems.push({
      field: "maxTokens",
      message: `Texts of ${config.maxTokens} tokens; this model reads ${limit}.`,
    });
  }
  if (config.tuning === "lora" && adaptedModules(model, { targets: config.loraTargets }).length === 0) {
    problems.push({
      field: "loraTargets",
      message: "No module of this model carries an adapter; choose at least one.",
    });
  }
  return problems;
}

/** What the methods of a configuration need that the setup or the data does not have, each at its own field. */
export function needProblems(config: RunConfig, pairs: readonly TokenPair[]): Preflight["problems"] {
  const first = { field: "method", objective: objectiveNamed(config.method) };
  const terms = [first];
  if (config.secondMethod !== "") {
    terms.push({ field: "secondMethod", objective: objectiveNamed(config.secondMethod) });
  }
  const problems = terms.flatMap(({ field, objective }) => [
    ...dataProblems(field, objective, pairs),
    ...setupProblems(config, objective),
  ]);
  // Where both methods ask for another batch or adapter, one sentence at its field is enough.
  return problems.filter(
    ({ field }, index) => problems.findIndex((other) => other.field === field) === index,
  );
}

/** What an objective needs of the pairs and of the model. */
function dataProblems(
  field: string,
  { needs, label }: Objective,
  pairs: readonly TokenPair[],
): Preflight["problems"] {
  const without = (has: (pair: TokenPair) => unknown) => {
    const count = pairs.filter((pair) => has(pair) === undefined).length;
    return count === pairs.length ? "these pairs have none" : `${count} of ${pairs.length} pairs have none`;
  };
  if (!canTrain({ needs })) return [{ field, message: `${whyNotOffered({ label })}.` }];
  if (needs.includes("rewardGap") && pairs.some(({ rewardGap }) => rewardGap === undefined)) {
    const found = without(({ rewardGap }) => rewardGap);
    const remedy = "choose a set with a judge, or a file with score_chosen and score_rejected";
    return [{ field, message: `${label} weights pairs by a judge's scores, and ${found}: ${remedy}.` }];
  }
  if (needs.includes("pairWeight") && pairs.some(({ weight }) => weight === undefined)) {
    const found = without(({ weight }) => weight);
    const remedy = "open a .jsonl file that has it, or choose another method";
    return [{ field, message: `${label} reads the column "weight", and ${found}: ${remedy}.` }];
  }
  return [];
}

/** What an objective needs of the other settings. */
function setupProblems(
  { batchPairs, tuning }: RunConfig,
  { id, label, needs }: Objective,
): Preflight["problems"] {
  const problems: Preflight["problems"][number][] = [];
  if (needs.includes("tokenKl") && tuning === "full") {
    const message = `${label} reads the reference through the head it shares: train an adapter.`;
    problems.push({ field: "tuning", message });
  }
  if ((id === "aot" || id === "aot_unpaired") && batchPairs < 2) {
    const message = `${label} compares the pairs of a batch with one another: it needs at least 2.`;
    problems.push({ field: "batchPairs", message });
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
