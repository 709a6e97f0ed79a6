/** Settings that a schema cannot judge because they depend on the method or the model. */
import { adaptedModules } from "../engine/adapters/lora.ts";
import { objectives } from "../engine/losses/index.ts";
import type { Objective } from "../engine/losses/objective.ts";
import type { LoadedModel } from "../engine/models/loadModel.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { refuse } from "./errorReport.ts";
import type { LoadedData } from "./library.ts";
import type { Preflight } from "./protocol.ts";

/** The objective of a configuration; refuses an unknown one. */
export function objectiveOf(config: RunConfig): Objective {
  const objective = (objectives as Record<string, Objective>)[config.method];
  return objective ?? refuse("CFG-1", `There is no method "${config.method}".`);
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
export function configProblems(config: RunConfig, { model }: LoadedModel): Preflight["problems"] {
  const problems: Preflight["problems"][number][] = [];
  for (const spec of objectiveOf(config).parameters) {
    const { key, label, minimum, maximum } = spec;
    // Runs and links that are older than an optional knob do not have it.
    const value = config.params[key] ?? (spec.isOptional === true ? spec.default : undefined);
    if (value === undefined || !(value >= minimum && value <= maximum)) {
      const found = value === undefined ? "missing" : String(value);
      problems.push({ field: key, message: `${label} is ${found}; it goes from ${minimum} to ${maximum}.` });
    }
  }
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
