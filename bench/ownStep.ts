/** Our own training, one step at a time. */
import type { Objective, ObjectiveResult } from "../src/engine/losses/objective.ts";
import { objectives } from "../src/engine/losses/index.ts";
import { uploadModel } from "../src/engine/models/loadModel.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { createReferenceCache } from "../src/engine/reference/referenceCache.ts";
import { defaultConfig, type RunConfig } from "../src/engine/training/config.ts";
import { estimateRun } from "../src/engine/training/estimate.ts";
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
  readonly dispose: () => Promise<void>;
}

/** Uploads the model to the active device and goes to the first step. */
export async function createOwnRun(
  shape: StepShape,
  options: { readonly pairs?: readonly TokenPair[]; readonly isAllocating?: boolean } = {},
): Promise<OwnRun> {
  const { pairs = shape.pairs, isAllocating = false } = options;
  const { model, dispose } = uploadModel(shape.config, shape.arrays(), shape.layout);
  const config: RunConfig = { ...stepConfig, batchPairs: shape.pairs.length };
  const { memoryBytes, referenceBytes } = estimateRun(model, config, {
    train: pairs.slice(0, config.batchPairs),
    heldout: pairs.slice(0, config.evalPairs),
  });
  let [forwardEnd, backwardEnd] = [0, 0];
  const dpo: Objective = objectives.dpo;
  const reports = train({
    model,
    config,
    objective: {
      ...dpo,
      compute: (...args) => {
        forwardEnd = gpuCounts().dispatches;
        return isAllocating ? nothingLearned(args[0].pairs) : dpo.compute(...args);
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
    heldoutPairs: pairs.slice(0, config.evalPairs),
    reference: createReferenceCache(),
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
