/** Follows a training run step by step and says what each step asked of the device. */
import { objectives } from "../src/engine/losses/index.ts";
import type { Objective } from "../src/engine/losses/objective.ts";
import type { Model } from "../src/engine/models/decoder.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { createReferenceCache } from "../src/engine/reference/referenceCache.ts";
import { memory } from "../src/engine/tensor/run.ts";
import { defaultConfig, type RunConfig } from "../src/engine/training/config.ts";
import { train } from "../src/engine/training/train.ts";
import {
  difference,
  gpuCounts,
  storageBuffers,
  takeDispatchesByName,
  type GpuCounts,
} from "./gpuCounters.ts";

/** Dispatches of one optimizer step by phase; recomputing a layer belongs to the backward phase. */
export interface PhaseDispatches {
  readonly forward: number;
  readonly backward: number;
  readonly optimizer: number;
}

/** One optimizer step. */
export interface MeasuredStep {
  readonly counts: GpuCounts;
  readonly phases: PhaseDispatches;
  readonly dispatchesByName: Readonly<Record<string, number>>;
  readonly loss: number;
  /** What is held after the step. */
  readonly tensors: number;
  readonly storageBytes: number;
}

/** What is trained, and on what. */
export interface MeasuredRun {
  readonly model: Model;
  readonly pairs: readonly TokenPair[];
  readonly config: RunConfig;
}

/** DPO with LoRA of rank 8 on all seven linears; the held-out evaluations are at the start and the end only. */
export function benchConfig(changes: Partial<RunConfig>): RunConfig {
  return { ...defaultConfig, evalEvery: 0, evalPairs: 1, schedule: "constant", warmupSteps: 0, ...changes };
}

/** Trains to the end; phases end where the loop asks for the loss and for the learning rate. */
export async function measureRun({ model, pairs, config }: MeasuredRun): Promise<MeasuredStep[]> {
  let start = gpuCounts();
  let forwardEnd = start;
  let backwardEnd = start;
  const dpo: Objective = objectives.dpo;
  const objective: Objective = {
    ...dpo,
    compute: (...args) => {
      forwardEnd = gpuCounts();
      return dpo.compute(...args);
    },
  };
  const live = {
    evalEvery: 0,
    get learningRate() {
      backwardEnd = gpuCounts();
      return config.learningRate;
    },
  };
  const steps: MeasuredStep[] = [];
  const reports = train({
    model,
    config,
    objective,
    live,
    trainPairs: pairs,
    heldoutPairs: pairs.slice(0, config.evalPairs),
    reference: createReferenceCache(),
  });
  for await (const report of reports) {
    if (report.kind === "step") {
      const end = gpuCounts();
      steps.push({
        counts: difference(end, start),
        phases: {
          forward: forwardEnd.dispatches - start.dispatches,
          backward: backwardEnd.dispatches - forwardEnd.dispatches,
          optimizer: end.dispatches - backwardEnd.dispatches,
        },
        dispatchesByName: takeDispatchesByName(),
        loss: report.metrics["loss"] ?? NaN,
        tensors: memory().numTensors,
        storageBytes: storageBuffers().bytes,
      });
    }
    if (report.kind === "milestone") {
      takeDispatchesByName();
      start = gpuCounts();
    }
  }
  return steps;
}
