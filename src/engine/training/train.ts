/**
 * The training loop as an async generator: pause by not asking for the next report, stop with `return()`; what it
 * holds on the device is freed either way. It knows nothing of messages, clocks or pages.
 */
import type { InitialValues } from "../adapters/lora.ts";
import type { StoodModel } from "../adapters/standing.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import type { OnlineReport, OnlineSetup, RoundsCheckpoint } from "../online/onlineSetup.ts";
import type { RoundReport } from "../online/roundContext.ts";
import { openRounds, type Rounds } from "../online/rounds.ts";
import { noStopwatch } from "../online/stopwatch.ts";
import { onlyLogps, type ReferenceCache } from "../reference/referenceCache.ts";
import { checkFeatureOptions } from "../sae/featureErrors.ts";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { largestBinding, trimMemory } from "../tensor/run.ts";
import type { RunConfig } from "./config.ts";
import { createEvaluator, type Evaluation, type Evaluator } from "./evaluate.ts";
import { totalWidth } from "./featureTap.ts";
import { measuresOf, type FeatureSource } from "./measures.ts";
import type { MetricRecord } from "./metrics.ts";
import { adamwDefaults, createOptimizer } from "./optimizer.ts";
import { countTrainable, createPolicy, referenceOf, type Policy } from "./policy.ts";
import { makeStretchReady, remember, rememberStretch, type PreparationReport } from "./prepareStretch.ts";
import type { EntryStatistics } from "./scoring.ts";
import { createStepRunner } from "./stepRunner.ts";
import { countTokens, stretchOf, type Stretch } from "./stretch.ts";
import { takeStep, type StepTools } from "./takeStep.ts";

const BYTES_PER_NUMBER = 4;
/** Any number above 0 gives all pairs one weight. */
const SAME_GAP = 1;

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
  | PreparationReport
  | { readonly kind: "evaluating"; readonly step: number; readonly done: number; readonly total: number }
  | { readonly kind: "evaluation"; readonly step: number; readonly evaluation: Evaluation }
  | { readonly kind: "step"; readonly step: number; readonly metrics: MetricRecord; readonly tokens: number }
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
  const heldout = heldoutOf(run);
  const firstStep = (run.resume?.step ?? 0) + 1;

  const measures = measuresOf(objective, config, run.features);
  if (measures.tap !== null) checkFeatureOptions(measures.tap.errors, totalWidth(measures.tap));
  const optimizer = createOptimizer(policy.parameters, { ...adamwDefaults, ...pickOptimizer(config) });
  const tools = { policy, optimizer, runner: createStepRunner(), measures };
  let rounds: Rounds | null = null;
  let evaluator: Evaluator | null = null;
  try {
    if (run.resume) optimizer.restore(run.resume.tensors, run.resume.step);
    if (run.online !== undefined) {
      rounds = openRounds(run.online, { ...run, weights: policy.weights, save: optimizer.save });
    }
    // The pairs of a round are not there before it begins.
    const stretch = rounds === null ? wholeRun(run, firstStep) : null;
    if (stretch !== null) yield* rememberStretch(config, stretch, measures);
    // An evaluation runs the reference itself, for KL and features.
    yield* remember(run, heldout, { needs: onlyLogps, batchPairs: config.batchPairs });
    const settings = { pairs: heldout, objective, params: config.params, reference, measures };
    evaluator = createEvaluator(model, { ...settings, batchPairs: config.batchPairs });

    if (firstStep === 1 && run.online?.resume === undefined) {
      yield* evaluateAt(0, evaluator, policy.weights);
    }
    yield* trainSteps(run, { tools, evaluator, rounds, firstStep }, stretch);
  } finally {
    evaluator?.dispose();
    rounds?.dispose();
    tools.runner.dispose();
    optimizer.dispose();
  }
}

/** Pairs that are evaluated. The judges of rounds are not asked of them: those without a reward gap all count alike. */
function heldoutOf({ heldoutPairs, config, online }: TrainingRun): readonly TokenPair[] {
  const heldout = heldoutPairs.slice(0, config.evalPairs);
  return online === undefined ? heldout : heldout.map((pair) => ({ rewardGap: SAME_GAP, ...pair }));
}

/** What steps are taken with, and told by. */
interface Loop {
  readonly tools: StepTools;
  readonly evaluator: Evaluator;
  /** Null where the pairs of the run are fixed. */
  readonly rounds: Rounds | null;
  readonly firstStep: number;
}

/** All steps from the first on: over one stretch of pairs, or where there are rounds, over one after another. */
async function* trainSteps(
  run: TrainingRun,
  loop: Loop,
  whole: Stretch | null,
): AsyncGenerator<TrainingReport, void> {
  const { tools, rounds, firstStep } = loop;
  const { config } = run;
  const milestoneAt = milestones(run, loop);
  const { timed } = rounds?.watch ?? noStopwatch;
  let stretch = whole;
  let room: RunConfig["checkpointing"] | null = null;
  let tokensSeen = rounds?.state.tokensSeen ?? tokensBefore(firstStep, stretch);

  yield milestoneAt(firstStep - 1, rounds?.isMidRound());
  if (rounds?.state.stage === "evaluate") {
    const step = firstStep - 1;
    if (!(yield* closeRound(run, loop, step))) return;
    yield milestoneAt(step);
  }
  for (let step = firstStep; step <= config.steps && rounds?.state.hasEnded !== true; step++) {
    if (stretch === null && rounds !== null) {
      stretch = yield* resting(rounds.open(step - 1), () => milestoneAt(step - 1, true));
      if (stretch !== null) yield* timed("reference", rememberStretch(config, stretch, tools.measures));
    }
    // The run was stopped.
    if (stretch === null) return;
    room ??= yield* timed("train", makeStretchReady(run.config, tools, stretch));
    tokensSeen += countTokens(stretch.pairsOf(step));
    yield* trainStep(run, loop, { stretch, step, checkpointing: room, tokensSeen });
    if (rounds !== null && step === stretch.lastStep) {
      if (!(yield* closeRound(run, loop, step))) return;
      [stretch, room] = [null, null];
    }
    yield milestoneAt(step);
  }
}

/** One step, and the evaluation that is due after it. */
async function* trainStep(
  run: TrainingRun,
  { tools, rounds, evaluator }: Loop,
  at: {
    readonly stretch: Stretch;
    readonly step: number;
    readonly checkpointing: RunConfig["checkpointing"];
    readonly tokensSeen: number;
  },
): AsyncGenerator<TrainingReport, void> {
  const { stretch, step, checkpointing, tokensSeen } = at;
  const { spend } = rounds?.watch ?? noStopwatch;
  const pairs = stretch.pairsOf(step);
  const settings = { ...run, model: stretch.model, reference: stretch.reference };
  const metrics = await spend("train", () => takeStep(settings, tools, { step, pairs, checkpointing }));
  rounds?.countTokens(tokensSeen);
  const tokens = countTokens(pairs);
  yield { kind: "step", step, metrics: { ...metrics, num_tokens: tokensSeen }, tokens };
  if (isEvaluatedAfter(step, run)) yield* evaluateAt(step, evaluator, tools.policy.weights);
}

function isEvaluatedAfter(step: number, { config, live: { evalEvery } }: TrainingRun): boolean {
  return step === config.steps || (evalEvery > 0 && step % evalEvery === 0);
}

/** The end of a round; a run that ends with it has an evaluation of its last step. False where the run was stopped. */
async function* closeRound(
  run: TrainingRun,
  loop: Loop,
  step: number,
): AsyncGenerator<TrainingReport, boolean> {
  const { rounds, evaluator, tools } = loop;
  if (rounds === null) return true;
  const milestoneAt = milestones(run, loop);
  if (!(yield* resting(rounds.close(step), () => milestoneAt(step, true)))) return false;
  if (rounds.state.hasEnded && !isEvaluatedAfter(step, run)) {
    yield* evaluateAt(step, evaluator, tools.policy.weights);
  }
  return true;
}

/** Makes the milestones of a run. */
function milestones({ config }: TrainingRun, { tools: { policy, optimizer }, rounds }: Loop) {
  return (step: number, isMidRound = false): TrainingReport => ({
    kind: "milestone",
    milestone: {
      step,
      weights: policy.weights,
      isLast: !isMidRound && (step === config.steps || rounds?.state.hasEnded === true),
      isMidRound,
      save: optimizer.save,
      rounds: () => rounds?.checkpoint() ?? null,
    },
  });
}

/** Hands the reports of a round on, with a milestone wherever the run may be left. */
async function* resting<Result>(
  reports: AsyncGenerator<RoundReport, Result>,
  milestone: () => TrainingReport,
): AsyncGenerator<TrainingReport, Result> {
  for (;;) {
    const next = await reports.next();
    if (next.done === true) return next.value;
    yield next.value.kind === "restingPlace" ? milestone() : next.value;
  }
}

/** The steps of a run whose pairs are fixed. */
function wholeRun({ config, trainPairs, model, reference }: TrainingRun, firstStep: number): Stretch {
  return stretchOf(config, trainPairs, { model, reference, firstStep, lastStep: config.steps });
}

/** Tokens that the steps before have read. */
function tokensBefore(firstStep: number, stretch: Stretch | null): number {
  let tokens = 0;
  for (let step = 1; step < firstStep; step++) tokens += countTokens(stretch?.pairsOf(step) ?? []);
  return tokens;
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

function pickOptimizer({ weightDecay, maxGradNorm }: RunConfig) {
  return { weightDecay, maxGradNorm };
}
