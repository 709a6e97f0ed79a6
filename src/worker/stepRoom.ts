/** What a run's steps hold on the device, and why its layers are kept as they are. */
import { largestBatches, stepPairs } from "../engine/training/batches.ts";
import { keptLayers, layerNumbers, runsFused } from "../engine/training/stepMemory.ts";
import type { TrainingReport, TrainingRun } from "../engine/training/train.ts";
import type { StepRoom } from "./protocol.ts";

const BYTES_PER_NUMBER = 4;

/** Explains what `train` says once before its first step. */
export function stepRoom(
  { model, config, trainPairs, resume }: TrainingRun,
  { keeps, bytes }: Extract<TrainingReport, { kind: "ready" }>,
): StepRoom {
  const firstStep = (resume?.step ?? 0) + 1;
  const batches = largestBatches(model.config, config, { pairsOf: stepPairs(config, trainPairs), firstStep });
  const rows = batches[0]?.flat.tokenIds.length ?? 0;
  const layerBytes =
    BYTES_PER_NUMBER * rows * keptLayers(model.config, config) * layerNumbers(model.config, config);
  const isPlanned = batches[0]?.keeps === keeps;
  if (!runsFused(model.config, config)) return { keeps, bytes, layerBytes, reason: "tape" };
  const found = keeps === "everything" ? "small" : isPlanned ? "large" : "noRoom";
  return { keeps, bytes, layerBytes, reason: config.checkpointing === "auto" ? found : "asked" };
}
