/** What the passes of a run measure beside the policy's log-probs, and what that needs of the reference. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import { secondPrefix } from "../losses/mix.ts";
import {
  onlyLogps,
  referenceBytesPerPair,
  type ReferenceCache,
  type ReferenceNeeds,
} from "../reference/referenceCache.ts";
import type { FeatureErrorOptions, FeatureMode } from "../sae/featureErrors.ts";
import { recordBytes } from "../sae/sparseFeatures.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import type { RunConfig } from "./config.ts";
import { totalWidth, type FeatureTap } from "./featureTap.ts";

/** Share of all features that are somewhere active in an answer, for the estimate alone and until it is measured. */
const ACTIVE_SHARE = 0.25;
/** Features of the top k whose drift is measured of every objective: the paper's. */
const COMPARED_TOP_K = 50;

/** Modes by the value of an objective's knob. */
const featureModes: readonly FeatureMode[] = ["paper", "released", "held"];

/** What a pass measures beside the policy's log-probs. */
export interface Measures {
  /** The head reads the reference's hidden states as well and measures the KL to it. */
  readonly hasTokenKl: boolean;
  /** The reference runs within the pass, with the adapters off; otherwise its numbers are handed in. */
  readonly isReferenceLive: boolean;
  /** Where training passes pool features and their drift flows back; null for objectives that do not compare them. */
  readonly tap: FeatureTap | null;
  /** Where evaluations pool features, whenever the run has an autoencoder; its drift is the same for every objective. */
  readonly evaluationTap: FeatureTap | null;
  /** The same for the drift of the listed features alone; null without a list. */
  readonly heldTap: FeatureTap | null;
}

/** Autoencoders, and the token at the start of every text, which they do not know; null where there is none. */
export interface FeatureSource {
  /** At least one, each of another layer. */
  readonly saes: readonly SparseAutoencoder[];
  readonly startToken: number | null;
}

/** Log-probs of the policy alone, with a remembered reference. */
export const measuresNothing: Measures = {
  hasTokenKl: false,
  isReferenceLive: false,
  tap: null,
  evaluationTap: null,
  heldTap: null,
};

/**
 * What the passes of a run measure. Throws where an objective needs features and there is no source, and RangeError for
 * a source with no autoencoder or with two of one layer.
 */
export function measuresOf(
  { needs }: Pick<Objective, "needs">,
  config: Pick<RunConfig, "referenceMode" | "params" | "heldFeatures">,
  features: FeatureSource | null = null,
): Measures {
  const isTapped = needs.includes("features");
  if (isTapped && features === null) {
    throw new Error("The objective compares features, and no sparse autoencoder is loaded.");
  }
  const source = features === null ? null : byLayer(features);
  const tapWith = (errors: FeatureErrorOptions) => (source === null ? null : { ...source, errors });
  const { heldFeatures } = config;
  return {
    hasTokenKl: needs.includes("tokenKl"),
    isReferenceLive: config.referenceMode === "live",
    tap: isTapped ? tapWith(driftOptions(config)) : null,
    evaluationTap: tapWith(comparedDrift(source)),
    heldTap: heldFeatures.length === 0 ? null : tapWith({ mode: "held", topK: 1, heldFeatures }),
  };
}

/** The source with its autoencoders in the order of their layers. */
function byLayer({ saes, startToken }: FeatureSource): FeatureSource {
  if (saes.length === 0) throw new RangeError("Features are to be pooled, and there is no autoencoder.");
  const sorted = saes.toSorted((a, b) => a.layer - b.layer);
  const twice = sorted.find(({ layer }, place) => sorted[place + 1]?.layer === layer);
  if (twice !== undefined)
    throw new RangeError(`Two autoencoders read the stream after block ${twice.layer}: choose one of them.`);
  return { saes: sorted, startToken };
}

/** What counts as drift, by the knobs of an objective that compares features, be it the first or the second. */
export function driftOptions({
  params,
  heldFeatures,
}: Pick<RunConfig, "params" | "heldFeatures">): FeatureErrorOptions {
  const knob = (key: string) => params[key] ?? params[`${secondPrefix}${key}`];
  const mode = featureModes[knob("featureMode") ?? 0] ?? "paper";
  return { mode, topK: knob("topK") ?? 1, heldFeatures };
}

/** What methods are compared by: the paper's drift, with as many features whatever an objective counts itself. */
function comparedDrift(source: FeatureSource | null): FeatureErrorOptions {
  const widths = source?.saes.map(({ width }) => width) ?? [];
  return { mode: "paper", topK: Math.min(COMPARED_TOP_K, ...widths) };
}

/** What has to be remembered of each training pair; null when the reference runs within every step. */
export function trainingNeeds({ hasTokenKl, isReferenceLive, tap }: Measures): ReferenceNeeds | null {
  return isReferenceLive ? null : { hidden: hasTokenKl, features: tap !== null };
}

/** Training pairs whose reference a run remembers. */
function usedPairs(config: RunConfig, train: readonly TokenPair[]): number {
  return Math.min(train.length, config.steps * config.batchPairs * config.accumulationSteps);
}

/** Pairs whose reference a run has to score before its first step, because it is not remembered yet; an upper bound. */
export function unscoredPairs(
  config: RunConfig,
  measures: Measures,
  {
    train,
    heldout,
    reference,
  }: {
    train: readonly TokenPair[];
    heldout: readonly TokenPair[];
    reference: Pick<ReferenceCache, "missing">;
  },
): number {
  const needs = trainingNeeds(measures);
  const evaluated = heldout.slice(0, config.evalPairs);
  const missing = needs === null ? 0 : reference.missing(train, needs).length;
  return Math.min(missing, usedPairs(config, train)) + reference.missing(evaluated, onlyLogps).length;
}

/**
 * Bytes that a run remembers of the reference: of a mean training pair, and of its training and held-out pairs in all.
 * `featureBytes`, of the features of a mean answer, makes it exact where answers have been measured.
 */
export function referenceBytes(
  config: RunConfig,
  measures: Measures,
  data: {
    readonly train: readonly TokenPair[];
    readonly heldout: readonly TokenPair[];
    readonly hiddenSize: number;
    readonly featureBytes?: number | null;
  },
): { readonly perPair: number; readonly total: number } {
  const { train, heldout, hiddenSize } = data;
  const needs = trainingNeeds(measures);
  const used = usedPairs(config, train);
  const answerTokens = train.reduce((sum, { chosen, rejected }) => sum + chosen.length + rejected.length, 0);
  const width = measures.tap === null ? 0 : totalWidth(measures.tap);
  const sizes = {
    tokens: answerTokens / Math.max(1, train.length),
    hiddenSize,
    featureBytes: data.featureBytes ?? recordBytes(Math.round(width * ACTIVE_SHARE), width),
  };
  const perPair = needs === null ? 0 : referenceBytesPerPair(needs, sizes);
  const evaluated = Math.min(heldout.length, config.evalPairs);
  const total = used * perPair + evaluated * referenceBytesPerPair(onlyLogps, sizes);
  return { perPair: Math.round(perPair), total: Math.round(total) };
}
