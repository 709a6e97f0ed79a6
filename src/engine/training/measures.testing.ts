/** Checks of what steps measure beside log-probs, on whichever backend is open. */
import { expect } from "vitest";
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { objectives } from "../losses/index.ts";
import { distinctWindows } from "../models/config.ts";
import { clear, dispose, read, write, zeros } from "../tensor/run.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { addGradients, type HostPart } from "./gradients.ts";
import { measuresOf } from "./measures.ts";
import { driftsOf, pairStatistics, rememberedStates, tokenGradients } from "./pairScores.ts";
import { createPolicy } from "./policy.ts";
import { rememberReference } from "./referencePass.ts";
import { follow, randomAdapter, tinyRun, tinySae } from "./tinyRun.testing.ts";

/** Methods whose gradient reaches the stream by other ways than the log-probs alone. */
export type MeasuredMethod = "tdpo1" | "tdpo2" | "fpo";

/** Trains with remembered and with live reference numbers, which must give the same run. */
export async function checkLiveReference(
  method: keyof typeof objectives,
  { layers = [0] }: { readonly layers?: readonly number[] } = {},
): Promise<void> {
  const { model, dispose: disposeModel } = createTinyModel();
  const saes = layers.map((layer) => tinySae(0.1, { layer }));
  const [trainPairs, heldoutPairs] = [withOpinions(tinyPairs(8)), withOpinions(tinyPairs(4, { seed: 2 }))];
  const parts = { features: { saes, startToken: null }, trainPairs, heldoutPairs };
  const runs = [];
  for (const referenceMode of ["cached", "live"] as const) {
    runs.push(await follow(tinyRun(model, { method, referenceMode }, parts)));
  }
  const [cached, live] = runs;
  expect(live?.steps).toHaveLength(cached?.steps.length ?? NaN);
  cached?.steps.forEach((metrics, step) => {
    for (const [name, value] of Object.entries(metrics)) {
      const found = live?.steps[step]?.[name] ?? NaN;
      const allowed = 1e-5 * Math.abs(value) + 1e-6;
      expect(Math.abs(found - value), `${name} of step ${step + 1}`).toBeLessThanOrEqual(allowed);
    }
  });
  for (const sae of saes) sae.dispose();
  disposeModel();
}

/** Which features a step compares: those of the first layer when left out. */
export interface ComparedFeatures {
  readonly layers?: readonly number[];
  readonly heldFeatures?: readonly number[];
}

/**
 * The gradient of a whole step against the difference of its loss along the gradient itself; `params` must leave nothing
 * detached, or the differences see what the gradient must not. Gives the gradient.
 */
export async function checkStepGradient(
  method: MeasuredMethod,
  params: Readonly<Record<string, number>>,
  { layers = [0], heldFeatures = [], tolerance }: ComparedFeatures & { readonly tolerance: number },
): Promise<Float64Array> {
  const { model, dispose: disposeModel } = createTinyModel();
  // A threshold is a step, and a step has no gradient that differences could find.
  const saes = layers.map((layer) => tinySae(0, { layer }));
  const run = tinyRun(model, { method, params: { ...params }, heldFeatures: [...heldFeatures] });
  const features = { saes, startToken: null };
  const measures = measuresOf(run.objective, run.config, features);
  const policy = createPolicy(model, run.config, randomAdapter(model, 3));
  const sink = { flat: zeros(policy.parameters.theta.shape), trainables: policy.trainables };
  const needs = { hidden: measures.hasTokenKl, features: measures.tap !== null };
  const pairs = run.trainPairs.slice(0, 4);
  const options = { batchPairs: 4, needs, tap: measures.tap };
  for await (const _ of rememberReference(model, run.reference, pairs, options)) continue;
  const batch = uploadBatch(pairBatch(pairs), distinctWindows(model.config));
  const { reference } = run;
  let loss = NaN;
  const host: HostPart = {
    referenceHidden: measures.hasTokenKl ? rememberedStates(pairs, reference) : undefined,
    gradients: (measured) => {
      const { own: drift } = driftsOf(measures, pairs, batch.flat, {
        pooled: measured.pooled,
        referencePooled: measured.reference?.pooled ?? null,
        reference,
      });
      const statistics = pairStatistics(pairs, batch.flat, measured, { reference, drift });
      const totals = {
        pairs: pairs.length,
        chosenTokens: pairs.reduce((sum, { chosen }) => sum + chosen.length, 0),
      };
      const result = run.objective.compute(statistics, run.config.params, totals);
      loss = result.losses.reduce((sum, one) => sum + one, 0) / pairs.length;
      const { tap } = measures;
      return tokenGradients(batch.flat, result, tap === null || drift === null ? null : { tap, drift });
    },
  };
  const pass = { model, weights: policy.weights, keeps: "everything" as const, sink, measures };
  const lossAt = async (values: Float32Array) => {
    clear(sink.flat);
    write(policy.parameters.theta, values);
    await addGradients(pass, batch, host);
    return loss;
  };
  const theta = Float32Array.from(await read(policy.parameters.theta));
  await lossAt(theta);
  const gradient = Float64Array.from(await read(sink.flat));
  const length = Math.hypot(...gradient);
  // Where the sigmoid is flat the differences are rounding.
  expect(length).toBeGreaterThan(1e-3);
  const epsilon = 5e-4;
  const along = (sign: number) =>
    lossAt(theta.map((value, at) => value + (sign * epsilon * (gradient[at] ?? 0)) / length));
  const slope = ((await along(1)) - (await along(-1))) / (2 * epsilon);
  expect(Math.abs(slope - length), `slope ${slope}, gradient ${length}`).toBeLessThanOrEqual(
    tolerance * length,
  );
  dispose(sink.flat);
  batch.dispose();
  policy.dispose();
  for (const sae of saes) sae.dispose();
  disposeModel();
  return gradient;
}

/** The pairs with a judge's opinion and a weight each. */
function withOpinions(pairs: readonly TokenPair[]): TokenPair[] {
  return pairs.map((pair, index) => ({ ...pair, rewardGap: index / 4 - 0.5, weight: 1 + index }));
}
