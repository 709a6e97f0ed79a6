/** Gradients of one micro-batch by parameter name, and the loss they belong to. */
import type { TokenPair } from "../data/tokenPair.ts";
import { pairBatch } from "../data/batch.ts";
import type { ObjectiveResult } from "../losses/objective.ts";
import { onlyLogps } from "../reference/referenceCache.ts";
import { dispose, read, zeros } from "../tensor/run.ts";
import { addGradients, type BackwardPass, type Measured } from "./gradients.ts";
import { pairStatistics, tokenGradients } from "./pairScores.ts";
import type { Policy } from "./policy.ts";
import { rememberReference } from "./referencePass.ts";
import { uploadBatch, type DeviceBatch } from "./deviceBatch.ts";
import { scoreBatch } from "./scoring.ts";
import type { TrainingRun } from "./train.ts";

/** A run whose training pairs are one micro-batch, and a policy for it. */
export interface GradientCase {
  readonly run: TrainingRun;
  readonly policy: Policy;
}

/** Reads the gradient of the loss over the run's pairs for every trained parameter. */
export async function gradientsOf(
  { run, policy }: GradientCase,
  keeps: BackwardPass["keeps"] = "layerInputs",
): Promise<Map<string, Float32Array>> {
  const { model, trainPairs, config } = run;
  await fillReference(run);
  const batch = uploadBatch(pairBatch(trainPairs, config));
  const flat = zeros(policy.parameters.theta.shape);
  const { weights, trainables } = policy;
  try {
    await addGradients({ model, weights, keeps, sink: { flat, trainables } }, batch, {
      gradients: (measured) => tokenGradients(batch.flat, resultOf(run, batch, measured)),
    });
    const values = Float32Array.from(await read(flat));
    return new Map(
      trainables.map(({ name, offset, tensor: { size } }) => [name, values.slice(offset, offset + size)]),
    );
  } finally {
    dispose(flat);
    batch.dispose();
  }
}

/** The loss over the run's pairs, in float64 over log-probs in float32. */
export async function lossOf({ run, policy }: GradientCase): Promise<number> {
  await fillReference(run);
  const batch = uploadBatch(pairBatch(run.trainPairs, run.config));
  try {
    const entries = await scoreBatch(run.model, policy.weights, batch);
    const { losses } = resultOf(run, batch, { entries, pooled: null, reference: null });
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  } finally {
    batch.dispose();
  }
}

function resultOf(run: TrainingRun, { flat }: DeviceBatch, measured: Measured): ObjectiveResult {
  const { objective, config, trainPairs, reference } = run;
  const totals = { pairs: trainPairs.length, chosenTokens: chosenTokens(trainPairs) };
  return objective.compute(pairStatistics(trainPairs, flat, measured, { reference }), config.params, totals);
}

function chosenTokens(pairs: readonly TokenPair[]): number {
  return pairs.reduce((sum, { chosen }) => sum + chosen.length, 0);
}

async function fillReference({ model, reference, trainPairs }: TrainingRun): Promise<void> {
  const options = { batchPairs: trainPairs.length, needs: onlyLogps };
  for await (const _progress of rememberReference(model, reference, trainPairs, options));
}
