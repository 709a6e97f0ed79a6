/** What a run will cost and what keeps it from starting, asked whenever the form changes. */
import type { LoadedModel } from "../engine/models/loadModel.ts";
import { meanFeatureBytes } from "../engine/reference/referenceCache.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { estimateRun } from "../engine/training/estimate.ts";
import { measuresNothing, measuresOf, unscoredPairs } from "../engine/training/measures.ts";
import { canMeasure, configProblems, frozenProblem, objectiveOf, withKnownSecond } from "./configProblems.ts";
import type { FoundFeatures } from "./featureDesk.ts";
import type { KeptReference } from "./keptReference.ts";
import type { LoadedData } from "./library.ts";
import type { Preflight } from "./protocol.ts";
import { adapterPrint } from "./referenceIdentity.ts";
import { speedKey } from "./speed.ts";

/** What is loaded, and the last speed that was measured on it. */
export interface PreflightSources {
  readonly loaded: LoadedModel;
  readonly data: LoadedData;
  readonly kept: KeptReference;
  readonly features: FoundFeatures;
  readonly speed: { readonly key: string; readonly secondsPerStep: number } | null;
}

/** Estimates a run and finds what is wrong with it. Refuses an unknown first method. */
export function preflight(
  config: RunConfig,
  { loaded, data, kept, features, speed }: PreflightSources,
): Preflight {
  const objective = objectiveOf(withKnownSecond(config));
  const { source } = features;
  const measures = canMeasure(objective, source) ? measuresOf(objective, config, source) : measuresNothing;
  const reference = kept.seenWith(source?.print ?? "", adapterPrint(loaded.model.standing?.sum, config));
  const featureBytes = meanFeatureBytes(reference, data.train);
  const isFrozen = config.tuning === "full" && frozenProblem(loaded.model) !== null;
  // What cannot be trained cannot be planned; the problem says why.
  const planned: RunConfig = isFrozen ? { ...config, tuning: "lora" } : config;
  return {
    ...estimateRun(loaded.model, planned, { ...data, featureBytes }, measures),
    unscoredPairs: unscoredPairs(config, measures, { ...data, reference }),
    secondsPerStep: speed?.key === speedKey(config, objective) ? speed.secondsPerStep : null,
    problems: configProblems(config, { loaded, data, features }),
  };
}
