/** The part of the protocol that is about sparse autoencoders and their features. Features are numbered from 0 on. */

/** A sparse autoencoder at hand. */
export interface SaeSummary {
  readonly id: string;
  readonly label: string;
  readonly origin: "embedded" | "opened" | "trained";
  /** Block whose output it reads, from 0 on. */
  readonly layer: number;
  readonly hook: string;
  readonly width: number;
  readonly inputSize: number;
  /** Model it was trained on, as its file says; null where it does not. */
  readonly modelName: string | null;
  readonly sizeBytes: number;
  /** False where its file has no decoder or none was read: no logits, no steering, no reconstruction. */
  readonly hasDecoder: boolean;
}

/** Which model is looked at: the untouched one, or the one that the last run tuned. */
export type LookedAt = "reference" | "policy";

/** What every feature of an autoencoder does on the loaded pairs, under the untouched model; arrays have one value per feature. */
export interface FeatureTable {
  readonly sae: SaeSummary;
  /** Positions that were looked at. */
  readonly positions: number;
  /** Names that the likeliest tokens suggest; "" for a feature that was never active. */
  readonly names: readonly string[];
  /** Share of positions at which the feature is active. */
  readonly density: Float32Array;
  /** Mean and largest activation, over all positions. */
  readonly mean: Float32Array;
  readonly max: Float32Array;
  /** Mean of the pooled activations over chosen and over rejected answers. */
  readonly chosenMean: Float32Array;
  readonly rejectedMean: Float32Array;
  /** Mean number of active features at a position. */
  readonly l0: number;
  /** Share of the stream's variance that the autoencoder does not explain; null without a decoder. */
  readonly unexplained: number | null;
}

/** A token and how much a feature's direction adds to its logit. */
export interface TokenLogit {
  readonly token: string;
  readonly logit: number;
}

/** A stretch of text around an activation. */
export interface ActivationExample {
  readonly tokens: readonly string[];
  /** One value per token, under the untouched model. */
  readonly activations: Float32Array;
  /** The same under the tuned one; null before a run. */
  readonly after: Float32Array | null;
  /** Index of the token with the activation that the example stands for. */
  readonly peak: number;
  readonly side: "chosen" | "rejected";
}

/** Examples whose peak lies in a part of the range of activations. */
export interface ActivationInterval {
  readonly from: number;
  readonly to: number;
  /** Share of active positions in it. */
  readonly share: number;
  readonly examples: readonly ActivationExample[];
}

/** A feature on the loaded pairs, under one model. */
export interface FeatureUse {
  /** Share of positions at which it is active. */
  readonly density: number;
  /** Positions by activation, zeros left out; bin i goes from `edges[i]` to `edges[i + 1]`. */
  readonly counts: Float32Array;
  /** Pooled activation of each pair's answers. */
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** Everything the feature view shows of one feature. */
export interface FeatureDetail {
  readonly sae: string;
  readonly feature: number;
  /** Name that the likeliest tokens suggest. */
  readonly name: string;
  readonly positions: number;
  readonly edges: Float32Array;
  readonly before: FeatureUse;
  /** Under the tuned model; null before a run. */
  readonly after: FeatureUse | null;
  /** Tokens whose logits its direction raises and lowers most; empty without a decoder. */
  readonly positive: readonly TokenLogit[];
  readonly negative: readonly TokenLogit[];
  /** From the strongest down. */
  readonly intervals: readonly ActivationInterval[];
}

/** The features of a text, token by token. */
export interface PromptFeatures {
  readonly sae: string;
  readonly policy: LookedAt;
  readonly tokens: readonly string[];
  /** Whether a token is the start of text, which the autoencoder does not know. */
  readonly isStart: readonly boolean[];
  /** Active features, the strongest first; at most 256. */
  readonly features: Int32Array;
  readonly names: readonly string[];
  /** Activations [tokens · features]. */
  readonly activations: Float32Array;
  /** Active features at each token. */
  readonly l0: Float32Array;
  /** Share of each row's squared distance from the mean row that is not explained; null without a decoder. */
  readonly unexplained: Float32Array | null;
}

/** How one feature changed from the untouched model to the tuned one, over the answers of the held-out pairs. */
export interface FeatureChange {
  readonly feature: number;
  readonly name: string;
  /** Mean pooled activation over chosen and rejected answers. */
  readonly before: number;
  readonly after: number;
  /** Change on either side. */
  readonly chosenChange: number;
  readonly rejectedChange: number;
  /** Probability of so large a mean change if its sign at each answer were chance. */
  readonly pValue: number;
  /** Whether it is among the findings at a false discovery rate of 5 % (Benjamini and Hochberg). */
  readonly isFinding: boolean;
}

/** What a run changed inside the model. */
export interface ChangeReport {
  readonly sae: string;
  readonly step: number;
  readonly answers: number;
  readonly permutations: number;
  /** Every feature that was active before or after, the largest change first. */
  readonly changes: readonly FeatureChange[];
  /** Features that were active neither before nor after. */
  readonly silent: number;
  readonly l0: { readonly before: number; readonly after: number };
  readonly unexplained: { readonly before: number; readonly after: number } | null;
}

/** How a feature is steered: `add` adds `value` activations' worth of its direction, `clamp` sets its activation to `value`. */
export interface Steering {
  readonly sae: string;
  readonly feature: number;
  readonly mode: "add" | "clamp";
  readonly value: number;
}

/** The same prompt and seed, without and with steering. */
export interface SteeredTexts {
  readonly plain: string;
  readonly steered: string;
}

/** How an autoencoder is trained; defaults and meaning: `engine/sae/training/saeSettings.ts`. */
export interface SaeSettings {
  readonly layer: number;
  readonly width: number;
  /** Mean number of active features. */
  readonly k: number;
  readonly steps: number;
  /** Rows of a step. */
  readonly batchRows: number;
  readonly learningRate: number;
  readonly seed: number;
}

/** How far the training of an autoencoder is. */
export interface SaeTrainingEvent {
  readonly type: "sae";
  readonly status: "collecting" | "training" | "paused" | "done" | "failed";
  readonly step: number;
  readonly steps: number;
  /** `loss`, `unexplained`, `l0`, `dead` (share of features silent for long); held-out ones carry the prefix `eval_`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** One sentence when it failed; "" otherwise. */
  readonly reason: string;
  /** The autoencoder once it is done. */
  readonly sae: SaeSummary | null;
}

/** Commands about features; part of `Commands`. */
export interface FeatureCommands {
  /** Autoencoders at hand, the newest first, which runs use by default; and those that come with this model. */
  listSaes: {
    question: null;
    answer: {
      readonly atHand: readonly SaeSummary[];
      readonly embedded: readonly Pick<SaeSummary, "id" | "label" | "layer">[];
    };
  };
  /** Loads an embedded one, or one from files, and uses it from now on. */
  loadSae: {
    question: { id: string; files: readonly { readonly name: string; readonly bytes: Uint8Array }[] | null };
    answer: SaeSummary;
  };
  featureTable: { question: { sae: string }; answer: FeatureTable };
  featureDetail: { question: { sae: string; feature: number }; answer: FeatureDetail };
  promptFeatures: { question: { sae: string; text: string; policy: LookedAt }; answer: PromptFeatures };
  /** Refuses before a run. */
  changeReport: { question: { sae: string }; answer: ChangeReport };
  steer: {
    question: {
      steering: Steering;
      prompt: string;
      policy: LookedAt;
      seed: number;
      temperature: number;
      maxNewTokens: number;
    };
    answer: SteeredTexts;
  };
  /** Trains an autoencoder on the loaded pairs; goes on with a paused one where `isContinued`. */
  trainSae: { question: { settings: SaeSettings; isContinued: boolean }; answer: null };
  pauseSae: { question: null; answer: null };
  /** SAELens 6 files. */
  exportSae: {
    question: { sae: string };
    answer: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  };
}
