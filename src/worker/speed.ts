/** How long a step takes, measured before a run on a copy that is thrown away. */
import type { RunConfig } from "../engine/training/config.ts";
import { train, type TrainingRun } from "../engine/training/train.ts";

/** Seconds of the last step of a run that is thrown away; null when it was interrupted before it had one. */
export async function measureStep(run: TrainingRun, isInterrupted: () => boolean): Promise<number | null> {
  const { tamper: _tamper, ...untampered } = run;
  let startedAt = performance.now();
  let seconds: number | null = null;
  for await (const report of train(untampered)) {
    if (report.kind === "step") seconds = (performance.now() - startedAt) / 1000;
    await new Promise((resolve) => setTimeout(resolve));
    if (isInterrupted()) return null;
    startedAt = performance.now();
  }
  return seconds;
}

/** Settings that change how long a step takes on one model and one preference set. */
export function speedKey({
  tuning,
  loraRank,
  loraTargets,
  batchPairs,
  accumulationSteps,
  topLayers,
  sharesPrompts,
  checkpointing,
}: RunConfig): string {
  const adapter = [tuning, loraRank, loraTargets, topLayers];
  return JSON.stringify([adapter, batchPairs, accumulationSteps, sharesPrompts, checkpointing]);
}
