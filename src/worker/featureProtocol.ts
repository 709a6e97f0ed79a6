/** The part of the protocol that is about sparse autoencoders and their features. Features are numbered from 0 on. */
import type { ChangeReport as EngineChangeReport } from "../engine/features/changeReport.ts";
import type { FileBytes } from "../engine/files/fileBytes.ts";
import type { FeatureDetail as EngineFeatureDetail } from "../engine/features/featureDetail.ts";
import type { FeatureTable as EngineFeatureTable } from "../engine/features/featureTable.ts";
import type { PromptFeatures as EnginePromptFeatures } from "../engine/features/promptFeatures.ts";
import type { FeatureSteering } from "../engine/generation/steering.ts";
import type { SaeSettings } from "../engine/sae/training/saeSettings.ts";

export type { ActivationExample, ActivationInterval } from "../engine/features/activationExamples.ts";
export type { FeatureChange } from "../engine/features/changeReport.ts";
export type { FeatureUse } from "../engine/features/featureDetail.ts";
export type { TokenLogit } from "../engine/features/featureLogits.ts";
export type { SaeSettings } from "../engine/sae/training/saeSettings.ts";

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
  /** Fingerprint of what encodes its features: two with the same print have the same features. */
  readonly print: string;
  /** False where its file has no decoder or none was read: no logits, no steering, no reconstruction. */
  readonly hasDecoder: boolean;
}

/** Which model is looked at: the untouched one, or the one that the last run tuned. */
export type LookedAt = "reference" | "policy";

/** What every feature of an autoencoder does on the loaded pairs, under the untouched model; arrays have one value per feature. */
export interface FeatureTable extends EngineFeatureTable {
  readonly sae: SaeSummary;
}

/** Everything the feature view shows of one feature. */
export interface FeatureDetail extends EngineFeatureDetail {
  readonly sae: string;
}

/** The features of a text, token by token. */
export interface PromptFeatures extends EnginePromptFeatures {
  readonly sae: string;
  readonly policy: LookedAt;
}

/** What a run changed inside the model. */
export interface ChangeReport extends EngineChangeReport {
  readonly sae: string;
  readonly step: number;
}

/** How a feature is steered: `add` adds `value` activations' worth of its direction, `clamp` sets its activation to `value`. */
export interface Steering extends Pick<FeatureSteering, "feature" | "mode" | "value"> {
  readonly sae: string;
}

/** The same prompt and seed, without and with steering. */
export interface SteeredTexts {
  readonly plain: string;
  readonly steered: string;
}

/** How far the training of an autoencoder is. */
export interface SaeTrainingEvent {
  readonly type: "sae";
  readonly status: "collecting" | "training" | "paused" | "done" | "failed";
  /** Optimizer steps; while collecting, the texts that have been read. */
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
  /** Loads an embedded one, or one from files, or takes one at hand, and uses it from now on. */
  loadSae: {
    question: { id: string; files: readonly { readonly name: string; readonly bytes: FileBytes }[] | null };
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
  /** Trains an autoencoder on the texts of a file, or on the loaded pairs; goes on with a paused one where `isContinued`. */
  trainSae: {
    question: {
      settings: SaeSettings;
      isContinued: boolean;
      texts: { readonly name: string; readonly bytes: FileBytes } | null;
    };
    answer: null;
  };
  pauseSae: { question: null; answer: null };
  /** SAELens 6 files. */
  exportSae: {
    question: { sae: string };
    answer: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  };
}
