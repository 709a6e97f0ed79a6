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

/** Whether the studio has what an objective needs; no model comes with a sparse autoencoder so far. */
export function canTrain({ needs }: Objective): boolean {
  return !needs.includes("features");
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
  const isSecondKnown = config.secondMethod === "" || config.secondMethod in objectives;
  const known = isSecondKnown ? config : { ...config, secondMethod: "" };
  const problems = objectiveOf(known).parameters.flatMap((spec) => knobProblems(spec, config.params));
  if (!isSecondKnown) {
    problems.push({ field: "secondMethod", message: `There is no method "${config.secondMethod}".` });
  }
  problems.push(...needProblems(config, objectiveOf(known), [...data.train, ...data.heldout]));
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

/** What an objective needs that the setup or the data does not have. */
function needProblems(
  { batchPairs, tuning, secondMethod }: RunConfig,
  objective: Objective,
  pairs: readonly TokenPair[],
): Preflight["problems"] {
  const problems: Preflight["problems"][number][] = [];
  const say = (field: string, message: string) => problems.push({ field, message });
  const { needs, label } = objective;
  const without = (has: (pair: TokenPair) => unknown) =>
    pairs.filter((pair) => has(pair) === undefined).length;
  if (!canTrain(objective)) {
    say("method", `${label} compares features, and no sparse autoencoder is loaded for this model.`);
  }
  if (needs.includes("rewardGap") && without(({ rewardGap }) => rewardGap) > 0) {
    const count = without(({ rewardGap }) => rewardGap);
    say("method", `${label} weights pairs by a judge's scores; ${count} of ${pairs.length} pairs have none.`);
  }
  if (needs.includes("pairWeight") && without(({ weight }) => weight) > 0) {
    const count = without(({ weight }) => weight);
    say("method", `${label} reads a column "weight"; ${count} of ${pairs.length} pairs have none.`);
  }
  if (needs.includes("tokenKl") && tuning === "full") {
    say("tuning", `${label} reads the reference through the head it shares: train an adapter.`);
  }
  const isRanked = [objective.id, secondMethod].some((id) => id === "aot" || id === "aot_unpaired");
  if (isRanked && batchPairs < 2) {
    say("batchPairs", `${label} compares the pairs of a batch with one another: it needs at least 2.`);
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
