/** What a run's steps hold on the device, and why its layers are kept as they are. */
import { largestBatch, stepPairs } from "../engine/training/batches.ts";
import { keepsOf, layerNumbers } from "../engine/training/stepMemory.ts";
import type { TrainingReport, TrainingRun } from "../engine/training/train.ts";
import type { StepRoom } from "./protocol.ts";

const BYTES_PER_NUMBER = 4;

/** Explains what `train` says once before its first step. */
export function stepRoom(
  { model, config, trainPairs, resume }: TrainingRun,
  { keeps, bytes }: Extract<TrainingReport, { kind: "ready" }>,
): StepRoom {
  const firstStep = (resume?.step ?? 0) + 1;
  const rows = largestBatch(config, stepPairs(config, trainPairs), firstStep).tokenIds.length;
  const layerBytes = BYTES_PER_NUMBER * rows * model.config.layers * layerNumbers(model.config, config);
  const isPlanned = keepsOf(model.config, config, rows) === keeps;
  const found = keeps === "everything" ? "small" : isPlanned ? "large" : "noRoom";
  return { keeps, bytes, layerBytes, reason: config.checkpointing === "auto" ? found : "asked" };
}
