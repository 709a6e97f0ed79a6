/** Held-out evaluation: the objective's metrics, the KL to the reference with adapters, and where every pair moved. */
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective, ObjectiveResult, PairStatistics } from "../losses/objective.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import type { ReferenceCache } from "../reference/referenceCache.ts";
import { dispose } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { heldoutBatches } from "./batches.ts";
import { totalWidth, type DevicePool, type PooledFeatures } from "./featureTap.ts";
import { measuresNothing, type Measures } from "./measures.ts";
import { mismatchedRatiosOf } from "./mismatched.ts";
import { MetricAccumulator, prefixed, type MetricRecord } from "./metrics.ts";
import { driftsOf, metricBatch, pairStatistics } from "./pairScores.ts";
import { uploadBatch, type DeviceBatch } from "./deviceBatch.ts";
import { referenceStates, scoreAndPool } from "./scoring.ts";
import { createUnexplained, evaluationPool } from "./unexplained.ts";

/** What the objective makes of each held-out pair; an array is empty where it gives no such number. */
export interface PairScores {
  /** Scored tokens of both answers. */
  readonly chosenTokens: Float32Array;
  readonly rejectedTokens: Float32Array;
  /** Summed log-probs of both answers, in nats. */
  readonly chosenLogps: Float32Array;
  readonly rejectedLogps: Float32Array;
  readonly losses: Float32Array;
  /** The argument u of the sigmoid. */
  readonly arguments: Float32Array;
  readonly chosenRewards: Float32Array;
  readonly rejectedRewards: Float32Array;
}

/** What an evaluation found; arrays have one value per held-out pair. */
export interface Evaluation {
  /** Names carry TRL's prefix `eval_`. */
  readonly metrics: MetricRecord;
  /** log p(policy) − log p(reference) of the chosen answers. */
  readonly chosenDelta: Float32Array;
  /** The same of the rejected answers. */
  readonly rejectedDelta: Float32Array;
  readonly scores: PairScores;
  /** Null where no features are pooled. */
  readonly features: FeatureMeans | null;
}

/** The policy's mean activation of every feature over the answers of a side, each answer at its own mean [total width]. */
export interface FeatureMeans {
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** What every evaluation of a run shares. */
export interface EvaluationSettings {
  readonly pairs: readonly TokenPair[];
  readonly objective: Objective;
  readonly params: Readonly<Record<string, number>>;
  readonly reference: ReferenceCache;
  readonly batchPairs: number;
  /** What is measured of features; nothing when left out. */
  readonly measures?: Measures;
}

/** An evaluation that keeps its batches and the reference's hidden states on the device between runs. */
export interface Evaluator {
  /** Yields after every batch, so that the caller can breathe; returns the evaluation. */
  readonly evaluate: (weights: Weights) => AsyncGenerator<{ done: number; total: number }, Evaluation>;
  readonly dispose: () => void;
}

interface HeldoutBatch {
  readonly pairs: readonly TokenPair[];
  readonly batch: DeviceBatch;
  readonly pool: DevicePool | null;
  /** The reference's hidden states [entries, hidden], where KL is measured, and what it pools; from the first evaluation. */
  reference: { readonly hidden: Tensor | null; readonly pooled: PooledFeatures | null } | null;
}

/** Prepares evaluations; pairs must be in the reference cache. */
export function createEvaluator(model: Model, settings: EvaluationSettings): Evaluator {
  const { pairs, objective, params, reference, batchPairs, measures = measuresNothing } = settings;
  const { evaluationTap: tap } = measures;
  const batches = heldoutBatches({ batchPairs }, pairs).map((some): HeldoutBatch => {
    const batch = uploadBatch(pairBatch(some), distinctWindows(model.config));
    return {
      pairs: some,
      batch,
      pool: tap === null ? null : evaluationPool(tap, batch),
      reference: null,
    };
  });
  const totals = {
    pairs: pairs.length,
    chosenTokens: pairs.reduce((sum, { chosen }) => sum + chosen.length, 0),
  };

  async function* evaluate(weights: Weights): AsyncGenerator<{ done: number; total: number }, Evaluation> {
    const accumulator = new MetricAccumulator();
    // Both hidden states are read through one head: once it trains as well, the reference's distribution is gone.
    const hasKl = weights.base === model.base;
    const chosenDelta = new Float32Array(pairs.length);
    const rejectedDelta = new Float32Array(pairs.length);
    const results: BatchResult[] = [];
    const means = tap === null ? null : createFeatureMeans(totalWidth(tap));
    const unexplained = tap === null ? null : createUnexplained(tap);
    let done = 0;
    for (const heldout of batches) {
      yield { done, total: pairs.length };
      const { batch } = heldout;
      if (hasKl || heldout.pool !== null) {
        heldout.reference ??= await referenceOf(model, heldout, { keepsHidden: hasKl });
      }
      const { entries, pooled } = await scoreAndPool(model, weights, batch, {
        reference: heldout.reference?.hidden ?? undefined,
        pool: heldout.pool,
        unexplained,
      });
      const measured = { entries, pooled, reference: null };
      const mismatchedRatios = await mismatchedRatiosOf({ model, weights, objective }, heldout.pairs);
      const referencePooled = heldout.reference?.pooled ?? null;
      const features = { pooled, referencePooled, reference };
      const drifts = driftsOf(measures, heldout.pairs, batch.flat, features);
      const sources = { reference, mismatchedRatios, drift: drifts.own };
      const statistics = pairStatistics(heldout.pairs, batch.flat, measured, sources);
      const result = objective.compute(statistics, params, totals);
      accumulator.add(metricBatch(batch.flat, measured, { statistics, result, hasKl, drifts }));
      results.push({ statistics, result });
      if (pooled !== null) means?.add(pooled.means);
      const { chosen, rejected } = statistics;
      heldout.pairs.forEach((_, index) => {
        chosenDelta[done + index] = (chosen.logps[index] ?? NaN) - (chosen.referenceLogps?.[index] ?? NaN);
        rejectedDelta[done + index] =
          (rejected.logps[index] ?? NaN) - (rejected.referenceLogps?.[index] ?? NaN);
      });
      done += heldout.pairs.length;
    }
    const share = unexplained?.share() ?? NaN;
    const metrics = prefixed("eval_", {
      ...accumulator.record(),
      ...(Number.isNaN(share) ? {} : { "features/unexplained": share }),
    });
    return {
      metrics,
      chosenDelta,
      rejectedDelta,
      scores: scoresOf(pairs, results),
      features: means?.means() ?? null,
    };
  }

  return {
    evaluate,
    dispose: () => {
      for (const { batch, pool, reference: states } of batches) {
        batch.dispose();
        if (pool !== null) dispose(pool.tensors);
        states?.hidden?.dispose();
      }
    },
  };
}

/** What an evaluation needs of the reference. */
async function referenceOf(
  model: Model,
  { batch, pool }: HeldoutBatch,
  { keepsHidden }: { readonly keepsHidden: boolean },
): Promise<HeldoutBatch["reference"]> {
  const { hidden, pooled } = await referenceStates(model, batch, pool);
  if (!keepsHidden) hidden.dispose();
  return { hidden: keepsHidden ? hidden : null, pooled };
}

/** Adds up pooled features [2 · pairs · width] of batches, chosen answers before rejected ones. */
function createFeatureMeans(width: number) {
  const sums = { chosen: new Float64Array(width), rejected: new Float64Array(width) };
  let pairs = 0;
  const addSide = (sum: Float64Array, pooled: Float32Array) => {
    pooled.forEach((value, place) => (sum[place % width]! += value));
  };
  return {
    add: (pooled: Float32Array) => {
      const half = pooled.length / 2;
      addSide(sums.chosen, pooled.subarray(0, half));
      addSide(sums.rejected, pooled.subarray(half));
      pairs += half / width;
    },
    means: (): FeatureMeans => {
      const meanOf = (sum: Float64Array) => Float32Array.from(sum, (value) => value / pairs);
      return { chosen: meanOf(sums.chosen), rejected: meanOf(sums.rejected) };
    },
  };
}

interface BatchResult {
  readonly statistics: PairStatistics;
  readonly result: ObjectiveResult;
}

function scoresOf(pairs: readonly TokenPair[], results: readonly BatchResult[]): PairScores {
  const all = (valuesOf: (batch: BatchResult) => Float64Array | undefined) =>
    Float32Array.from(results.flatMap((batch) => [...(valuesOf(batch) ?? [])]));
  return {
    chosenTokens: Float32Array.from(pairs, ({ chosen }) => chosen.length),
    rejectedTokens: Float32Array.from(pairs, ({ rejected }) => rejected.length),
    chosenLogps: all(({ statistics }) => statistics.chosen.logps),
    rejectedLogps: all(({ statistics }) => statistics.rejected.logps),
    losses: all(({ result }) => result.losses),
    arguments: all(({ result }) => result.arguments),
    chosenRewards: all(({ result }) => result.chosenRewards),
    rejectedRewards: all(({ result }) => result.rejectedRewards),
  };
}
