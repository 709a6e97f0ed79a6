/** One optimizer step, and the room that it needs. */
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import type { Model } from "../models/decoder.ts";
import type { ReferenceCache } from "../reference/referenceCache.ts";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { microBatches, type StepBatch } from "./batches.ts";
import type { RunConfig } from "./config.ts";
import type { Measures } from "./measures.ts";
import { MetricAccumulator, type MetricRecord } from "./metrics.ts";
import { mismatchedRatiosOf } from "./mismatched.ts";
import { EmptyResultError, NonFiniteLossError } from "./numericErrors.ts";
import type { Optimizer } from "./optimizer.ts";
import { driftsOf, metricBatch, pairStatistics, rememberedStates, tokenGradients } from "./pairScores.ts";
import { trainingWeights, type Policy } from "./policy.ts";
import { learningRateAt } from "./schedule.ts";
import type { EntryStatistics } from "./scoring.ts";
import { keepsOf } from "./stepMemory.ts";
import type { StepRunner } from "./stepRunner.ts";

/** What steps are taken with. */
export interface StepTools {
  readonly policy: Policy;
  readonly optimizer: Optimizer;
  readonly runner: StepRunner;
  readonly measures: Measures;
}

/** What a step learns, and what its pairs are compared with. */
export interface StepSettings {
  /** The reference policy, whose base the policy shares. */
  readonly model: Model;
  readonly reference: ReferenceCache;
  readonly config: RunConfig;
  readonly objective: Objective;
  readonly live: { readonly learningRate: number };
  readonly tamper?: (step: number, entries: EntryStatistics) => EntryStatistics;
}

/** One optimizer step over all of its micro-batches; metrics are those of the batch before the update. */
export async function takeStep(
  settings: StepSettings,
  { policy, optimizer, runner, measures }: StepTools,
  at: {
    readonly step: number;
    readonly pairs: readonly TokenPair[];
    readonly checkpointing: RunConfig["checkpointing"];
  },
): Promise<MetricRecord> {
  const { config, objective, model, reference } = settings;
  const { checkpointing, step, pairs } = at;
  const { hasTokenKl, tap } = measures;
  const totals = {
    pairs: pairs.length,
    chosenTokens: pairs.reduce((sum, { chosen }) => sum + chosen.length, 0),
  };
  const accumulator = new MetricAccumulator();
  const sink = { flat: optimizer.gradients, trainables: policy.trainables };
  optimizer.clearGradients();
  for (const [index, some] of microBatches(config, pairs).entries()) {
    const flat = pairBatch(some, config);
    const seed = step * config.accumulationSteps + index + config.seed;
    const weights = trainingWeights(policy, config, seed);
    const keeps = keepsOf(model.config, { ...config, checkpointing }, flat.tokenIds.length);
    const pass = { model, weights, keeps, sink, measures };
    const mismatchedRatios = await mismatchedRatiosOf({ model, weights: policy.weights, objective }, some);
    const isRemembered = hasTokenKl && !measures.isReferenceLive;
    await runner.run(pass, flat, {
      referenceHidden: isRemembered ? rememberedStates(some, reference) : undefined,
      gradients: (found) => {
        const entries = settings.tamper?.(step, found.entries) ?? found.entries;
        if (entries.logps.every((logp) => logp === 0)) throw new EmptyResultError(step);
        const measured = { ...found, entries };
        const drifts = driftsOf(measures, some, flat, {
          pooled: found.pooled,
          referencePooled: found.reference?.pooled ?? null,
          reference,
        });
        const drift = drifts.own;
        const statistics = pairStatistics(some, flat, measured, { reference, mismatchedRatios, drift });
        const result = objective.compute(statistics, config.params, totals);
        // An infinite loss can have a finite gradient, so the gradient's norm alone does not tell.
        if (!result.losses.every(Number.isFinite)) throw new NonFiniteLossError("The loss", step);
        accumulator.add(metricBatch(flat, measured, { statistics, result, hasKl: hasTokenKl, drifts }));
        return tokenGradients(flat, result, tap === null || drift === null ? null : { tap, drift });
      },
    });
  }
  const learningRate = learningRateAt(step, { ...config, learningRate: settings.live.learningRate });
  const gradientNorm = await optimizer.step(learningRate);
  if (!Number.isFinite(gradientNorm)) throw new NonFiniteLossError("The gradient norm", step);
  return { ...accumulator.record(), grad_norm: gradientNorm, learning_rate: learningRate };
}

/**
 * Runs the largest micro-batches without effect, so that what a run cannot hold is known before its first step. Where
 * layers do not fit whole they are computed again; rejects with `GpuOutOfMemoryError` when that does not fit either.
 */
export async function makeRoom(
  { model, config }: Pick<StepSettings, "model" | "config">,
  { policy, optimizer, runner, measures }: StepTools,
  batches: readonly StepBatch[],
): Promise<RunConfig["checkpointing"]> {
  const sink = { flat: optimizer.gradients, trainables: policy.trainables };
  const pass = { model, weights: trainingWeights(policy, config, config.seed), sink, measures };
  try {
    for (const { flat, keeps } of batches) await runner.probe({ ...pass, keeps }, flat);
    return config.checkpointing;
  } catch (cause) {
    const [largest] = batches;
    const isWhole = batches.some(({ keeps }) => keeps === "everything");
    if (!(cause instanceof GpuOutOfMemoryError) || largest === undefined || !isWhole) throw cause;
    if (config.checkpointing === "off") throw cause;
    await runner.probe({ ...pass, keeps: "layerInputs" }, largest.flat);
    return "on";
  }
}
