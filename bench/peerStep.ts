/** What the same step of LoRA-DPO shares on the sides that are not ours. */
import type { InitialValues } from "../src/engine/adapters/lora.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { ropeTable } from "../src/engine/kernels/rope/ropeTable.ts";
import type { ModelConfig } from "../src/engine/models/config.ts";
import { adamwDefaults } from "../src/engine/training/optimizer.ts";
import { stepConfig } from "./ownStep.ts";

/** The numbers of a step. */
export interface StepSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly beta: number;
  readonly learningRate: number;
  readonly maxGradNorm: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Those of our own run, in which the weight decay is 0. */
export const stepSettings: StepSettings = {
  rank: stepConfig.loraRank,
  alpha: stepConfig.loraAlpha,
  beta: stepConfig.params["beta"] ?? NaN,
  learningRate: stepConfig.learningRate,
  maxGradNorm: stepConfig.maxGradNorm,
  ...adamwDefaults,
};

/** Another implementation of the step. */
export interface PeerStep {
  /** Takes a step and resolves to its loss, before the update. */
  readonly step: () => Promise<number>;
  /** Running means of the adapters' gradients by PEFT's names; after one step, the gradients in small. */
  readonly firstMoments: () => Promise<ReadonlyMap<string, Float32Array>>;
  readonly dispose: () => void;
}

/** Modules that carry an adapter. */
export function adaptedModules(initial: InitialValues): string[] {
  return [...initial.keys()].flatMap((name) => /^(.+)\.lora_A\.weight$/.exec(name)?.[1] ?? []);
}

/** The chosen sides of all pairs, then the rejected ones; all prompts and all answers must have one length. */
export function evenBatch(pairs: readonly TokenPair[]) {
  const sides = [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)];
  const prompts = [...pairs, ...pairs].map(({ prompt }) => prompt);
  const promptLength = prompts[0]?.length ?? 0;
  return {
    sequences: sides.length,
    promptLength,
    length: promptLength + (sides[0]?.length ?? 0),
    /** [sequences · length] */
    tokens: sides.flatMap((side, index) => [...(prompts[index] ?? []), ...side]),
    /** [sequences · (length − promptLength)] */
    labels: sides.flatMap((side) => [...side]),
  };
}

/** Cosines and sines, [length, headDim / 2] each. */
export function rotations({ headDim, ropeTheta }: ModelConfig, length: number) {
  const table = ropeTable({ headDim, maxPositions: length, theta: ropeTheta });
  const plane = (offset: number) => table.filter((_, index) => index % 2 === offset);
  return { cosines: plane(0), sines: plane(1) };
}
