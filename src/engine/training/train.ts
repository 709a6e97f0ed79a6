/**
 * The training loop as an async generator: pause by not asking for the next report, stop with `return()`; what it
 * holds on the device is freed either way. It knows nothing of messages, clocks or pages.
 */
import type { InitialValues } from "../adapters/lora.ts";
import type { StoodModel } from "../adapters/standing.ts";
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import type { OnlineReport, OnlineSetup, RoundsCheckpoint } from "../online/onlineSetup.ts";
import { onlyLogps, type ReferenceCache } from "../reference/referenceCache.ts";
import { checkFeatureOptions } from "../sae/featureErrors.ts";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { largestBinding, trimMemory } from "../tensor/run.ts";
import { largestBatches, microBatches, stepPairs, type StepBatch } from "./batches.ts";
import type { RunConfig } from "./config.ts";
import { createEvaluator, type Evaluation, type Evaluator } from "./evaluate.ts";
import { totalWidth } from "./featureTap.ts";
import { MetricAccumulator, type MetricRecord } from "./metrics.ts";
import { EmptyResultError, NonFiniteLossError } from "./numericErrors.ts";
import { adamwDefaults, createOptimizer, type Optimizer } from "./optimizer.ts";
import { driftsOf, metricBatch, pairStatistics, rememberedStates, tokenGradients } from "./pairScores.ts";
import { countTrainable, createPolicy, referenceOf, trainingWeights, type Policy } from "./policy.ts";
import { rememberReference, type ReferencePassOptions } from "./referencePass.ts";
import { learningRateAt } from "./schedule.ts";
import type { EntryStatistics } from "./scoring.ts";
import { measuresOf, trainingNeeds, type FeatureSource, type Measures } from "./measures.ts";
import { mismatchedRatiosOf } from "./mismatched.ts";
import { keepsOf, type StepKeeps } from "./stepMemory.ts";
import { createStepRunner, type StepRunner } from "./stepRunner.ts";

const BYTES_PER_NUMBER = 4;

/** Everything a run needs. */
export interface TrainingRun {
  readonly model: Model;
  readonly config: RunConfig;
  readonly objective: Objective;
  readonly trainPairs: readonly TokenPair[];
  readonly heldoutPairs: readonly TokenPair[];
  /** The autoencoders whose features are pooled: at every evaluation, and at steps whose objective compares them. */
  readonly features?: FeatureSource | null;
  /** Belongs to the model; filled with the pairs that it lacks. */
  readonly reference: ReferenceCache;
  /** Settings that may change while the run goes on; read before every step. */
  readonly live: { learningRate: number; evalEvery: number };
  /** Parameters and moments after `step` steps, from a milestone's `save`. */
  readonly resume?: { readonly step: number; readonly tensors: Readonly<Record<string, Float32Array>> };
  /** First adapter values instead of drawn ones. */
  readonly initialAdapter?: InitialValues;
  /** Changes what a step measured, so that tests can reach the failures. */
  readonly tamper?: (step: number, entries: EntryStatistics) => EntryStatistics;
  /** Rounds that draw and score new pairs, `config.rounds` of them; without it the run trains on `trainPairs` alone. */
  readonly online?: OnlineSetup;
}

/** What the loop reports; steps are counted from 1, step 0 is the untouched model. `tokens` are those of the step alone. */
export type TrainingReport =
  | OnlineReport
  | { readonly kind: "reference"; readonly done: number; readonly total: number }
  | { readonly kind: "evaluating"; readonly step: number; readonly done: number; readonly total: number }
  | { readonly kind: "evaluation"; readonly step: number; readonly evaluation: Evaluation }
  | { readonly kind: "step"; readonly step: number; readonly metrics: MetricRecord; readonly tokens: number }
  /** Room for the largest micro-batch has been made; a device that records holds `bytes` for its steps. */
  | { readonly kind: "ready"; readonly keeps: StepKeeps; readonly bytes: number }
  /** Nothing is in flight: until the next report the policy may be sampled, inspected and saved. */
  | { readonly kind: "milestone"; readonly milestone: Milestone };

/** The policy after a step. */
export interface Milestone {
  readonly step: number;
  readonly weights: Weights;
  readonly isLast: boolean;
  /** Between two parts of a round's work, not behind a step: the step has had its milestone, or will have it. */
  readonly isMidRound: boolean;
  /** Parameters and moments on the host: what `resume` takes. */
  readonly save: () => Promise<Record<string, Float32Array>>;
  /** Where the rounds are: what `online.resume` takes; null offline. */
  readonly rounds: () => RoundsCheckpoint | null;
}

/**
 * Trains from the run's first step, or from its checkpoint on, and reports as it goes. With adapters that stand on the
 * model it goes on with them, and they stay what it is compared with.
 */
export async function* train(run: TrainingRun): AsyncGenerator<TrainingReport, void> {
  checkTrainable(run);
  const policy = createPolicy(run.model, run.config, run.initialAdapter);
  let reference: StoodModel | null = null;
  try {
    if (run.initialAdapter === undefined) reference = referenceOf(run.model, run.config);
    yield* trainPolicy({ ...run, model: reference?.model ?? run.model }, policy);
  } finally {
    policy.dispose();
    reference?.dispose();
    trimMemory();
  }
}

async function* trainPolicy(run: TrainingRun, policy: Policy): AsyncGenerator<TrainingReport, void> {
  const { model, config, objective, reference } = run;
  const heldout = run.heldoutPairs.slice(0, config.evalPairs);
  const pairsOf = stepPairs(config, run.trainPairs);
  const firstStep = (run.resume?.step ?? 0) + 1;

  const measures = measuresOf(objective, config, run.features);
  if (measures.tap !== null) checkFeatureOptions(measures.tap.errors, totalWidth(measures.tap));
  const optimizer = createOptimizer(policy.parameters, { ...adamwDefaults, ...pickOptimizer(config) });
  const milestoneAt = (step: number): TrainingReport => ({
    kind: "milestone",
    milestone: {
      step,
      weights: policy.weights,
      isLast: step === config.steps,
      isMidRound: false,
      save: optimizer.save,
      rounds: () => null,
    },
  });
  const runner = createStepRunner();
  let evaluator: Evaluator | null = null;
  try {
    if (run.resume) optimizer.restore(run.resume.tensors, run.resume.step);
    const needs = trainingNeeds(measures);
    const { tap } = measures;
    if (needs !== null) yield* remember(run, [...pairsOfRun(run, firstStep, pairsOf)], { needs, tap });
    // An evaluation runs the reference itself, for KL and features.
    yield* remember(run, heldout, { needs: onlyLogps, tap: null });
    const settings = { pairs: heldout, objective, params: config.params, reference, measures };
    evaluator = createEvaluator(model, { ...settings, batchPairs: config.batchPairs });

    if (firstStep === 1) yield* evaluateAt(0, evaluator, policy.weights);
    yield milestoneAt(firstStep - 1);
    let tokensSeen = 0;
    for (let step = 1; step < firstStep; step++) tokensSeen += countTokens(pairsOf(step));
    const batches = largestBatches(model.config, config, { pairsOf, firstStep });
    const checkpointing = await makeRoom(run, { policy, optimizer, runner, measures }, batches);
    const [largest] = batches;
    if (largest !== undefined) {
      const keeps = checkpointing === config.checkpointing ? largest.keeps : "layerInputs";
      yield { kind: "ready", keeps, bytes: runner.bytes() };
    }
    for (let step = firstStep; step <= config.steps; step++) {
      const pairs = pairsOf(step);
      const at = { policy, optimizer, runner, measures, checkpointing, step, pairs };
      const metrics = await takeStep(run, at);
      const tokens = countTokens(pairs);
      tokensSeen += tokens;
      yield { kind: "step", step, metrics: { ...metrics, num_tokens: tokensSeen }, tokens };
      const { evalEvery } = run.live;
      if (step === config.steps || (evalEvery > 0 && step % evalEvery === 0)) {
        yield* evaluateAt(step, evaluator, policy.weights);
      }
      yield milestoneAt(step);
    }
  } finally {
    evaluator?.dispose();
    runner.dispose();
    optimizer.dispose();
  }
}

/** Scores what is not remembered yet of the pairs. */
async function* remember(
  { model, reference, config: { batchPairs } }: TrainingRun,
  pairs: readonly TokenPair[],
  what: Pick<ReferencePassOptions, "needs" | "tap">,
): AsyncGenerator<TrainingReport> {
  for await (const progress of rememberReference(model, reference, pairs, { batchPairs, ...what })) {
    yield { kind: "reference", ...progress };
  }
}

/** What trains is one tensor: throws `GpuOutOfMemoryError` when the device cannot bind it. */
function checkTrainable({ model, config }: TrainingRun): void {
  const bytes = BYTES_PER_NUMBER * countTrainable(model, config);
  if (bytes <= largestBinding()) return;
  const [taken, most] = [bytes, largestBinding()].map((count) => Math.round(count / 1e6));
  throw new GpuOutOfMemoryError(
    `what trains takes ${taken} MB, this device reads at most ${most} MB at once: train adapters, on fewer layers or of a smaller rank.`,
  );
}

/** One optimizer step over all of its micro-batches; metrics are those of the batch before the update. */
async function takeStep(
  run: TrainingRun,
  at: {
    readonly policy: Policy;
    readonly optimizer: Optimizer;
    readonly runner: StepRunner;
    readonly measures: Measures;
    readonly checkpointing: RunConfig["checkpointing"];
    readonly step: number;
    readonly pairs: readonly TokenPair[];
  },
): Promise<MetricRecord> {
  const { config, objective, model, reference } = run;
  const { policy, optimizer, runner, measures, checkpointing, step, pairs } = at;
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
        const entries = run.tamper?.(step, found.entries) ?? found.entries;
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
  const learningRate = learningRateAt(step, { ...config, learningRate: run.live.learningRate });
  const gradientNorm = await optimizer.step(learningRate);
  if (!Number.isFinite(gradientNorm)) throw new NonFiniteLossError("The gradient norm", step);
  return { ...accumulator.record(), grad_norm: gradientNorm, learning_rate: learningRate };
}

async function* evaluateAt(
  step: number,
  evaluator: Evaluator,
  weights: Weights,
): AsyncGenerator<TrainingReport, void> {
  const evaluation = evaluator.evaluate(weights);
  for (;;) {
    const next = await evaluation.next();
    if (next.done === true) {
      yield { kind: "evaluation", step, evaluation: next.value };
      return;
    }
    yield { kind: "evaluating", step, ...next.value };
  }
}

/**
 * Runs the largest micro-batches without effect, so that what a run cannot hold is known before its first step. Where
 * layers do not fit whole they are computed again; rejects with `GpuOutOfMemoryError` when that does not fit either.
 */
async function makeRoom(
  { model, config }: TrainingRun,
  at: { policy: Policy; optimizer: Optimizer; runner: StepRunner; measures: Measures },
  batches: readonly StepBatch[],
): Promise<RunConfig["checkpointing"]> {
  const { policy, optimizer, runner, measures } = at;
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

/** The distinct training pairs that the run will meet. */
function pairsOfRun(
  run: TrainingRun,
  firstStep: number,
  pairsOf: (step: number) => readonly TokenPair[],
): Set<TokenPair> {
  const used = new Set<TokenPair>();
  for (let step = firstStep; step <= run.config.steps && used.size < run.trainPairs.length; step++) {
    for (const pair of pairsOf(step)) used.add(pair);
  }
  return used;
}

/** Tokens of both sequences of every pair. */
function countTokens(pairs: readonly TokenPair[]): number {
  return pairs.reduce(
    (sum, { prompt, chosen, rejected }) => sum + 2 * prompt.length + chosen.length + rejected.length,
    0,
  );
}

function pickOptimizer({ weightDecay, maxGradNorm }: RunConfig) {
  return { weightDecay, maxGradNorm };
}
