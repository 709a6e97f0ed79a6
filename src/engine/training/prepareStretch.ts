/** What has to be there before the first step of a stretch: numbers of the reference, and room on the device. */
import type { TokenPair } from "../data/tokenPair.ts";
import { largestBatches } from "./batches.ts";
import type { RunConfig } from "./config.ts";
import { trainingNeeds, type Measures } from "./measures.ts";
import { rememberReference, type ReferencePassOptions } from "./referencePass.ts";
import type { StepKeeps } from "./stepMemory.ts";
import { pairsOfStretch, type Stretch } from "./stretch.ts";
import { makeRoom, type StepTools } from "./takeStep.ts";

/** How the preparation comes on. */
export type PreparationReport =
  | { readonly kind: "reference"; readonly done: number; readonly total: number }
  /** Room for the largest micro-batch has been made; a device that records holds `bytes` for its steps. */
  | { readonly kind: "ready"; readonly keeps: StepKeeps; readonly bytes: number };

/** Scores what is not remembered yet of the pairs of a stretch. */
export async function* rememberStretch(
  { batchPairs }: RunConfig,
  stretch: Stretch,
  measures: Measures,
): AsyncGenerator<PreparationReport, void> {
  const needs = trainingNeeds(measures);
  if (needs === null) return;
  yield* remember(stretch, pairsOfStretch(stretch), { batchPairs, needs, tap: measures.tap });
}

/** Scores what is not remembered yet of the pairs. */
export async function* remember(
  { model, reference }: Pick<Stretch, "model" | "reference">,
  pairs: readonly TokenPair[],
  options: ReferencePassOptions,
): AsyncGenerator<PreparationReport, void> {
  for await (const progress of rememberReference(model, reference, pairs, options)) {
    yield { kind: "reference", ...progress };
  }
}

/** Makes room for the largest micro-batches of a stretch, and says how its layers are kept. */
export async function* makeStretchReady(
  config: RunConfig,
  tools: StepTools,
  stretch: Stretch,
): AsyncGenerator<PreparationReport, RunConfig["checkpointing"]> {
  const batches = largestBatches(stretch.model.config, config, stretch);
  const checkpointing = await makeRoom({ model: stretch.model, config }, tools, batches);
  const [largest] = batches;
  if (largest !== undefined) {
    const keeps = checkpointing === config.checkpointing ? largest.keeps : "layerInputs";
    yield { kind: "ready", keeps, bytes: tools.runner.bytes() };
  }
  return checkpointing;
}
