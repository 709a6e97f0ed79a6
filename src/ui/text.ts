/** Every plain sentence of the studio in one place; coded messages are in messages.ts. */
import type { ObjectiveGroup, ObjectiveNeed } from "../engine/losses/objective.ts";
import type { BaseWeights } from "../engine/training/config.ts";
import type { Phase } from "../worker/protocol.ts";
import { onlineChoiceTexts, onlineSettingTexts } from "./onlineText.ts";

/** What the studio is, in two sentences. */
export const tagline = ["Teach a tiny language model what you prefer.", "It trains in this tab."] as const;

/** Words of the phase chip. */
export const phaseWords: Record<Phase, string> = {
  waking: "Waking",
  ready: "Ready",
  generating: "Drawing answers",
  judging: "Judging",
  "caching-ref": "Reading the reference",
  training: "Learning",
  evaluating: "Evaluating",
  paused: "Paused",
  saving: "Saving",
  recovering: "Restoring",
  done: "Done",
  stopped: "Stopped",
  failed: "Failed",
};

/** Name and explanation of a setting. */
export interface SettingText {
  readonly label: string;
  readonly help: string;
  /** The published value, or that it is not public. */
  readonly paper?: string;
}

/** Settings of the form by their name in the configuration. */
export const settingTexts = {
  learningRate: {
    label: "Learning rate",
    help: "How far one step moves the adapter. Too high and the loss stops being a number or the text repeats; too low and nothing moves. Applies to a running run at once.",
  },
  steps: {
    label: "Steps",
    help: "How many times the adapter is updated. Each step reads one batch of pairs.",
  },
  batchPairs: {
    label: "Batch",
    help: "Pairs read in one pass. Larger batches give a steadier direction and need more memory.",
  },
  accumulationSteps: {
    label: "Accumulate",
    help: "Batches added up before one update: the effect of a larger batch without its memory.",
  },
  seed: {
    label: "Seed",
    help: "Decides the adapter's first values, the order of the pairs and the sampled text. The same seed gives the same run on the same machine.",
  },
  loraRank: {
    label: "Rank",
    help: "Width of the adapter. The update of a matrix is the product of two thin ones of this width; 8 is plenty for one preference.",
  },
  loraAlpha: {
    label: "Alpha",
    help: "The adapter's update is multiplied by alpha / rank. Twice the rank is usual.",
  },
  loraDropout: {
    label: "Dropout",
    help: "Share of the adapter's inputs that is left out at random in training.",
  },
  loraTargets: {
    label: "Adapted matrices",
    help: "Which matrices of every layer get an adapter: q, k, v and o belong to attention, gate, up and down to the feed-forward part.",
  },
  saes: {
    label: "Autoencoders",
    help: "Whose features are measured; without one the model's own is used.",
  },
  heldFeatures: {
    label: "Held features",
    help: "Features that FPO holds still in its mode “held”, by their numbers.",
  },
  topLayers: {
    label: "Top layers",
    help: "Only so many of the last layers are trained, which needs less time and memory. 0 trains all of them.",
  },
  sharesPrompts: {
    label: "Shared prompts",
    help: "Both answers of a pair are read behind one copy of their prompt. The numbers are the same, the work is less.",
  },
  checkpointing: {
    label: "Recompute layers",
    help: "Keeps only the input of every layer and computes the layer a second time on the way back: less memory, about a quarter more time, the same numbers. Automatic does so when a step would need much memory.",
  },
  sftWeight: {
    label: "SFT weight",
    help: "Adds so much of the chosen answers' own loss per token, which keeps them from losing probability (RPO). 0 leaves it out.",
  },
  secondMethod: {
    label: "Second method",
    help: "Trains the weighted sum of two losses. The numbers on the page, such as rewards, are those of the first.",
  },
  methodWeight: { label: "First weight", help: "What the loss of the chosen method is multiplied by." },
  secondWeight: { label: "Second weight", help: "What the loss of the second method is multiplied by." },
  referenceMode: {
    label: "Reference",
    help: "Remembered: computed once and kept. In every step: computed again with the adapters off, which takes longer and keeps nothing.",
  },
  tuning: {
    label: "Train",
    help: "An adapter (LoRA) leaves the model as it is and learns a small correction. All weights can be trained instead; that needs more memory and forgets more easily.",
  },
  schedule: { label: "Schedule", help: "What happens to the learning rate after the warm-up." },
  warmupSteps: { label: "Warm-up steps", help: "The learning rate rises from 0 over these steps." },
  weightDecay: { label: "Weight decay", help: "Pulls trained weights towards 0 a little at every step." },
  maxGradNorm: {
    label: "Gradient clip",
    help: "A longer gradient is shortened to this length. 0 switches clipping off.",
  },
  evalEvery: {
    label: "Evaluate every",
    help: "Steps between evaluations on held-out pairs. 0 evaluates at the start and the end only. Applies to a running run at once.",
  },
  evalPairs: {
    label: "Held-out pairs",
    help: "How many pairs that are never trained on are scored. They are the dots of the Pair Map.",
  },
  samplePrompts: {
    label: "Prompts sampled",
    help: "Held-out prompts that are answered before and after the run and scored by the judge. The first four are followed while it goes on.",
  },
  sampleTokens: { label: "Answer length", help: "Longest sampled answer, in tokens." },
  sampleTemperature: {
    label: "Temperature",
    help: "0 always takes the likeliest token; higher values vary more. The greedy samples ignore it.",
  },
  maxTokens: {
    label: "Longest pair",
    help: "Longest prompt plus answer in tokens; longer ones are left out.",
  },
  terminator: {
    label: "Answer ends with",
    help: "The token that ends an answer and is learned with it. Automatic follows the model's template.",
  },
  isShuffled: { label: "Shuffle pairs", help: "Reads the pairs in an order drawn from the seed." },
  baseWeights: {
    label: "Base weights",
    help: "How the model’s matrices lie on the device. Fewer bits need less memory and round the weights; the adapter is trained in 32 bits either way. 4 bits are what QLoRA does.",
  },
  backend: {
    label: "Compute on",
    help: "Automatic uses the GPU when there is one. The CPU gives the same results, slower.",
  },
  ...onlineSettingTexts,
} satisfies Record<string, SettingText>;

/** Choices that are words rather than numbers. */
export const choiceTexts = {
  referenceMode: { cached: "Remembered", live: "In every step" },
  tuning: { lora: "Adapter (LoRA)", full: "All weights" },
  schedule: { constant: "Constant", linear: "Linear to 0", cosine: "Cosine to 0" },
  checkpointing: { auto: "Automatic", on: "Yes", off: "No" },
  terminator: { auto: "Automatic", eos: "End of text", none: "Nothing" },
  baseWeights: {
    keep: "As in the file",
    f32: "32 bits",
    f16: "16 bits",
    q8: "8 bits",
    q4: "4 bits (QLoRA)",
  },
  backend: { auto: "Automatic", webgpu: "GPU (WebGPU)", cpu: "CPU" },
  ...onlineChoiceTexts,
} as const;

/** What each layout of the base weights costs and saves. */
export const weightTexts: Record<BaseWeights, string> = {
  keep: "As many bits as the file has; 16-bit weights stay 16-bit.",
  f32: "4 bytes a weight and no rounding: the most memory.",
  f16: "2 bytes a weight; rounding is too small to see in the loss.",
  q8: "About 1.1 bytes a weight; hardly any loss of quality.",
  q4: "About 0.6 bytes a weight, an eighth of 32 bits: larger models fit, at a small loss of quality. Measure it after loading.",
};

/** Headings of the groups of methods. */
export const groupTexts: Record<ObjectiveGroup, string> = {
  imitate: "Imitate",
  reference: "Compare with a reference",
  "reference-free": "Compare without one",
  token: "Token-level",
  feature: "Feature-level",
  unpaired: "Unpaired",
  weighted: "Weighted",
};

/** What each input of a method is, for a person. */
export const needTexts: Record<ObjectiveNeed, string> = {
  referenceLogps: "two log-probabilities a pair",
  tokenKl: "its distribution at every token of an answer",
  features: "features of both answers",
  mismatchedAnswers: "in every step, the log-probability of another pair's answer after each prompt",
  rewardGap: "judge scores of both answers",
  policyConfidence: "how sure the model is of its own answers",
  pairWeight: "a weight for each pair in the data",
};

/** What a loss surface holds still, for inputs that the two log-probabilities do not reach. */
export const heldTexts: Record<ObjectiveNeed, string> = {
  referenceLogps: "",
  tokenKl: "the KL of both answers at 0",
  features: "the drift of the features at 0",
  mismatchedAnswers: "the log-ratio of mismatched answers at 0",
  rewardGap: "the judge's gap at 1",
  policyConfidence: "the model's confidence at 0",
  pairWeight: "the pair's weight at 1",
};

/** Short names of the plots for a phone's tabs; a plot without one keeps its title. */
export const plotTabs: Readonly<Record<string, string>> = {
  rewards: "Margin",
  logps: "Log-probs",
  kl: "KL",
  accuracy: "Accuracy",
  entropy: "Entropy",
  loss: "Loss",
  "grad-norm": "Gradient",
  weights: "Weights",
  baseline: "Baseline",
  odds: "Odds",
  "feature-drift": "Features",
  features: "SAE fit",
};

/** Keys and what they do, for the shortcut sheet. */
export const shortcuts: readonly (readonly [string, string])[] = [
  ["Space", "Train, pause, resume"],
  ["s", "One step"],
  ["r", "Restart with the present settings"],
  [".", "Pause drawing; training goes on"],
  ["l", "Open or close the log"],
  ["g then t", "The Train screen"],
  ["g then o", "The Online screen"],
  ["g then d", "The Data screen"],
  ["g then f", "The Features screen"],
  ["1 or ←, 2 or →", "Annotate: A or B is better"],
  ["0, x, u", "Annotate: tie, both bad, undo"],
  ["g then m", "The Models screen"],
  ["Esc", "Unpin, or close what is on top"],
  ["?", "This list"],
];

/** How to get WebGPU, for those whose browser has none. */
export const gpuHelp = [
  "WebGPU is on by default in Chrome and Edge 113 or newer, Safari 26 and Firefox 141 or newer on Windows.",
  "On Linux, Chrome needs a Vulkan driver; chrome://gpu says what is missing.",
  "A page on plain http gets no GPU: open it over https or on localhost.",
  "Remote desktops and virtual machines often have no GPU to offer.",
] as const;

/** What FIL-1 accepts, for the formats sheet. */
export const acceptedFiles: readonly (readonly [string, string])[] = [
  [
    "Model",
    "The folder of a Hugging Face model (Llama, Qwen 2 and 3, Gemma 2 and 3, SmolLM 3, GPT-2 or Pythia), or its files together: config.json, safetensors in one file or several (F32, F16 or BF16), tokenizer.json. Or one .gguf file, or a .zip of either.",
  ],
  [
    "Preference data",
    "JSONL, JSON, CSV, TSV or Parquet, each also as .gz or in a .zip. Layouts are told by their columns; where that is in doubt, you are asked which column is which.",
  ],
  ["Adapter", "A PEFT adapter: adapter_config.json with adapter_model.safetensors."],
  [
    "Sparse autoencoder",
    "cfg.json with sae_weights.safetensors (SAELens), or params.npz (Gemma Scope); it has to be as wide as the model's stream.",
  ],
];
