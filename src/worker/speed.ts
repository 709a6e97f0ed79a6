/** How long a step takes, measured before a run on a copy that is thrown away. */
import type { Objective, ObjectiveNeed } from "../engine/losses/objective.ts";
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

/** What an objective can need that takes time within a step. */
const costlyNeeds: readonly ObjectiveNeed[] = ["tokenKl", "features", "mismatchedAnswers"];

/** Settings that change how long a step takes on one model and one preference set, and what its objective needs. */
export function speedKey(config: RunConfig, { needs }: Pick<Objective, "needs">): string {
  const { tuning, loraRank, loraTargets, topLayers } = config;
  const { batchPairs, accumulationSteps, sharesPrompts, checkpointing, referenceMode } = config;
  const adapter = [tuning, loraRank, loraTargets, topLayers];
  const batch = [batchPairs, accumulationSteps, sharesPrompts, checkpointing];
  return JSON.stringify([adapter, batch, referenceMode, costlyNeeds.filter((need) => needs.includes(need))]);
}
