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

/** What presets with rounds share: a minute on the embedded model, with enough held-out prompts for an interval. */
const online = {
  ...defaultConfig,
  rounds: 3,
  steps: 24,
  learningRate: 6e-3,
  evalEvery: 8,
  evalPairs: 32,
  onlinePrompts: 32,
  samplePrompts: 32,
  sampleTokens: 24,
} satisfies RunConfig;

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
    promise:
      "Draws anew only the half of the prompts that scores lowest, and trains on what the model says now.",
    config: {
      ...online,
      method: "wdpo",
      // The set's reward model scores pairs some 7 apart, where programs stay within 2: at their β₂ all weights would be 1.
      params: { beta: 0.5, beta2: 0.25, weighting: 0, normalise: 0 },
      regeneratedShare: 0.5,
    },
  },
  {
    id: "iterative-dpo",
    label: "Online · iterative DPO",
    promise: "Draws every prompt anew in every round: the plain way, and the slow one.",
    config: { ...online, regeneratedShare: 1 },
  },
  {
    id: "best-of-n",
    label: "Online · best of n (RAFT)",
    promise:
      "Best-of-n fine-tuning (RAFT): copies the best of eight answers of its own, and never sees a bad one.",
    config: {
      ...online,
      method: "sft",
      params: {},
      learningRate: 5e-3,
      regeneratedShare: 1,
      answersPerPrompt: 8,
    },
  },
  {
    id: "gamed-judge",
    label: "Online · a judge that is gamed",
    promise:
      "Counts “friends” and “laughed” wherever they stand: its score climbs, and the judge kept aside falls.",
    config: {
      ...online,
      params: { beta: 0.1 },
      learningRate: 5e-3,
      schedule: "constant",
      steps: 18,
      evalEvery: 6,
      onlinePrompts: 16,
      regeneratedShare: 1,
      judges: [{ judge: { kind: "words", liked: ["friends", "laughed"], disliked: [] }, weight: 1 }],
      heldoutJudge: { kind: "program", id: "kindEndings" },
    },
  },
] as const satisfies readonly PresetSummary[];
