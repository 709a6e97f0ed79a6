/** Our own training, one step at a time. */
import type { Objective, ObjectiveResult } from "../src/engine/losses/objective.ts";
import { objectives } from "../src/engine/losses/index.ts";
import { uploadModel } from "../src/engine/models/loadModel.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { bytesOf, createReferenceCache } from "../src/engine/reference/referenceCache.ts";
import { defaultConfig, type RunConfig } from "../src/engine/training/config.ts";
import { estimateRun } from "../src/engine/training/estimate.ts";
import { measuresOf, type FeatureSource } from "../src/engine/training/measures.ts";
import { train, type Milestone } from "../src/engine/training/train.ts";
import { gpuCounts } from "./gpuCounters.ts";
import type { StepShape } from "./shapes.ts";

/** More steps than any case takes: the run is stopped, so its last evaluation never comes. */
const ENDLESS = 100_000;

/** DPO with LoRA of rank 8 on all seven linears. */
export const stepConfig: RunConfig = {
  ...defaultConfig,
  schedule: "constant",
  warmupSteps: 0,
  steps: ENDLESS,
  evalEvery: 0,
  evalPairs: 1,
  isShuffled: false,
};

/** Dispatches of one step by phase; what is recomputed belongs to the backward phase. */
export interface PhaseDispatches {
  readonly forward: number;
  readonly backward: number;
  readonly optimizer: number;
}

/** A run that waits for its next step. */
export interface OwnRun {
  /** The loss, and the dispatches by phase. */
  readonly step: () => Promise<{ readonly loss: number; readonly phases: PhaseDispatches }>;
  /** Parameters and moments on the host by their names. */
  readonly save: Milestone["save"];
  readonly estimatedBytes: number;
  /** What is remembered of a mean training pair that is not evaluated. */
  readonly referenceBytesPerPair: () => number;
  readonly dispose: () => Promise<void>;
}

/** What a run takes instead of DPO on the shape's own pairs. */
export interface OwnRunOptions {
  readonly pairs?: readonly TokenPair[];
  readonly isAllocating?: boolean;
  readonly changes?: Partial<RunConfig>;
  /** For a method that compares features; whoever calls disposes of it. */
  readonly features?: FeatureSource;
}

/** Uploads the model to the active device and goes to the first step. */
export async function createOwnRun(shape: StepShape, options: OwnRunOptions = {}): Promise<OwnRun> {
  const { pairs = shape.pairs, isAllocating = false, features = null } = options;
  const { model, dispose } = uploadModel(shape.config, shape.arrays(), shape.layout);
  const config: RunConfig = { ...stepConfig, batchPairs: shape.pairs.length, ...options.changes };
  const objective: Objective = objectives[config.method as keyof typeof objectives];
  const used = { train: pairs.slice(0, config.batchPairs), heldout: pairs.slice(0, config.evalPairs) };
  const measures = measuresOf(objective, config, features);
  const { memoryBytes, referenceBytes } = estimateRun(model, config, used, measures);
  const reference = createReferenceCache();
  let [forwardEnd, backwardEnd] = [0, 0];
  const reports = train({
    model,
    config,
    objective: {
      ...objective,
      compute: (...args) => {
        forwardEnd = gpuCounts().dispatches;
        return isAllocating ? nothingLearned(args[0].pairs) : objective.compute(...args);
      },
    },
    live: {
      evalEvery: 0,
      // The loop asks for it between the last gradient and the update.
      get learningRate() {
        backwardEnd = gpuCounts().dispatches;
        return config.learningRate;
      },
    },
    trainPairs: pairs,
    heldoutPairs: used.heldout,
    features,
    reference,
    initialAdapter: shape.adapter(),
    // A device that computes nothing gives zeros, which a run takes for a silent GPU.
    ...(isAllocating ? { tamper: (_step, entries) => ({ ...entries, logps: entries.logps.fill(-1) }) } : {}),
  });
  let milestone = await nextMilestone(reports);
  return {
    step: async () => {
      const start = gpuCounts().dispatches;
      let { value: report } = await reports.next();
      if (report?.kind === "ready") ({ value: report } = await reports.next());
      if (report?.kind !== "step")
        throw new Error(`The run reports ${report?.kind ?? "its end"}, not a step.`);
      const end = gpuCounts().dispatches;
      milestone = await nextMilestone(reports);
      return {
        loss: report.metrics["loss"] ?? NaN,
        phases: {
          forward: forwardEnd - start,
          backward: backwardEnd - forwardEnd,
          optimizer: end - backwardEnd,
        },
      };
    },
    save: () => milestone.save(),
    estimatedBytes: Object.values(memoryBytes).reduce((sum, bytes) => sum + bytes, referenceBytes),
    referenceBytesPerPair: () => {
      const trained = used.train.filter((pair) => !used.heldout.includes(pair));
      const bytes = trained
        .map((pair) => reference.get(pair))
        .map((record) => (record ? bytesOf(record) : 0));
      return bytes.reduce((sum, each) => sum + each, 0) / Math.max(1, trained.length);
    },
    dispose: async () => {
      await reports.return();
      dispose();
    },
  };
}

/** What a run can go on with where nothing was computed. */
function nothingLearned(pairs: number): ObjectiveResult {
  const zeros = new Float64Array(pairs);
  return {
    losses: zeros,
    chosenGradient: zeros,
    rejectedGradient: zeros,
    chosenRewards: zeros,
    rejectedRewards: zeros,
  };
}

async function nextMilestone(reports: ReturnType<typeof train>): Promise<Milestone> {
  for (;;) {
    const next = await reports.next();
    if (next.done === true) throw new Error("The run has ended.");
    if (next.value.kind === "milestone") return next.value.milestone;
  }
}
