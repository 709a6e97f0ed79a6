/** How an autoencoder is trained: settings, where they begin, and what is wrong with them. */
import type { ModelConfig } from "../../models/config.ts";

/** Settings of one training. */
export interface SaeSettings {
  /** Block whose output it reads, from 0 on. */
  readonly layer: number;
  /** Features. */
  readonly width: number;
  /** Mean number of active features at a position. */
  readonly k: number;
  /** Optimizer steps. */
  readonly steps: number;
  /** Rows of the stream that a step reads. */
  readonly batchRows: number;
  /** Peak learning rate. */
  readonly learningRate: number;
  readonly seed: number;
}

/** Smallest and largest value of every setting; all but the learning rate are whole numbers. */
export const saeSettingRanges = {
  layer: [0, 1023],
  width: [8, 65_536],
  k: [1, 512],
  steps: [1, 100_000],
  batchRows: [16, 8192],
  learningRate: [1e-6, 0.1],
  seed: [0, 2 ** 31 - 1],
} as const satisfies Record<keyof SaeSettings, readonly [number, number]>;

/** Words for the settings in a sentence. */
const settingNames: Readonly<Record<keyof SaeSettings, string>> = {
  layer: "The layer",
  width: "The number of features",
  k: "The number of active features",
  steps: "The number of steps",
  batchRows: "The rows of a step",
  learningRate: "The learning rate",
  seed: "The seed",
};

/** Layer that is read unless another is asked for, where a model is deep enough. */
const DEFAULT_LAYER = 2;

/** Settings to begin with, for a small model of that many layers. */
export function defaultSaeSettings({ layers }: Pick<ModelConfig, "layers">): SaeSettings {
  return {
    layer: Math.min(DEFAULT_LAYER, layers - 1),
    width: 512,
    k: 12,
    steps: 600,
    batchRows: 256,
    learningRate: 0.015,
    seed: 0,
  };
}

/** What is wrong with settings for a model, one sentence each; empty where nothing is. */
export function saeSettingProblems(
  settings: SaeSettings,
  { layers }: Pick<ModelConfig, "layers">,
): readonly string[] {
  const problems = (Object.keys(saeSettingRanges) as (keyof SaeSettings)[]).flatMap((key) => {
    const [value, [least, most]] = [settings[key], saeSettingRanges[key]];
    if (!(value >= least && value <= most))
      return [`${settingNames[key]} is ${value}; choose one from ${least} to ${most}.`];
    if (key !== "learningRate" && !Number.isInteger(value))
      return [`${settingNames[key]} is ${value}; choose a whole number.`];
    return [];
  });
  if (settings.layer >= layers && settings.layer <= saeSettingRanges.layer[1])
    problems.push(
      `The layer is ${settings.layer}, and the last block of the model's ${layers} is ${layers - 1}: choose one that is there.`,
    );
  if (settings.k > settings.width)
    problems.push(
      `${settings.k} features are to be active, and there are ${settings.width}: choose fewer active ones.`,
    );
  return problems;
}
