/** Named starting points; a link is the difference from one of them. */
import { defaultConfig, type RunConfig } from "./config.ts";

/** A preset as the page lists it. */
export interface PresetSummary {
  readonly id: string;
  readonly label: string;
  /** One line of promise. */
  readonly promise: string;
  readonly config: RunConfig;
}

/** Presets in the order of the menu; the first is the page's start. */
export const presets = [
  {
    id: "tiny-dpo",
    label: "Tiny · DPO",
    promise: "Kind endings in a minute, counted from where the model started.",
    config: defaultConfig,
  },
  {
    id: "tiny-simpo",
    label: "Tiny · SimPO",
    promise: "The same preference without a reference model.",
    config: { ...defaultConfig, method: "simpo", params: { beta: 2, gamma: 0.5 }, steps: 80 },
  },
  {
    id: "tiny-sft",
    label: "Tiny · SFT",
    promise: "Only copies the chosen answers: watch the rejected ones rise as well.",
    config: { ...defaultConfig, method: "sft", params: {}, learningRate: 5e-3 },
  },
  {
    id: "helpful",
    label: "Helpful · DPO",
    promise: "A small assistant learns to answer instead of dodging.",
    config: {
      ...defaultConfig,
      data: "helpful-harmless",
      objective: "helpful",
      params: { beta: 1 },
      learningRate: 1e-3,
    },
  },
  {
    id: "harmless",
    label: "Harmless · DPO",
    promise: "The same assistant learns to turn down a bad idea.",
    config: {
      ...defaultConfig,
      data: "helpful-harmless",
      objective: "harmless",
      params: { beta: 1 },
      learningRate: 1e-3,
    },
  },
  {
    id: "online",
    label: "Online · OPTune",
    promise: "The model writes its own pairs in three rounds, half of them anew each time.",
    config: {
      ...defaultConfig,
      method: "wdpo",
      params: { beta: 0.5, beta2: 4, weighting: 0, normalise: 0 },
      rounds: 3,
    },
  },
] as const satisfies readonly PresetSummary[];
