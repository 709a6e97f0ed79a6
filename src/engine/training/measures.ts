/** What the passes of a run measure beside the policy's log-probs, and what that needs of the reference. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import { secondPrefix } from "../losses/mix.ts";
import {
  referenceBytesPerPair,
  type ReferenceCache,
  type ReferenceNeeds,
} from "../reference/referenceCache.ts";
import type { FeatureErrorOptions } from "../sae/featureErrors.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import type { RunConfig } from "./config.ts";
import type { FeatureTap } from "./featureTap.ts";

/** Share of all features that are somewhere active in an answer, for the estimate alone. */
const ACTIVE_SHARE = 0.25;

/** What a pass measures beside the policy's log-probs. */
export interface Measures {
  /** The head reads the reference's hidden states as well and measures the KL to it. */
  readonly hasTokenKl: boolean;
  /** The reference runs within the pass, with the adapters off; otherwise its numbers are handed in. */
  readonly isReferenceLive: boolean;
  /** Where features are pooled and their drift flows back; null where none are. */
  readonly tap: FeatureTap | null;
}

/** An autoencoder and the token at the start of every text, which it does not know; null where there is none. */
export interface FeatureSource {
  readonly sae: SparseAutoencoder;
  readonly startToken: number | null;
}

/** Log-probs of the policy alone, with a remembered reference. */
export const measuresNothing: Measures = { hasTokenKl: false, isReferenceLive: false, tap: null };

/** What the training passes of a run measure. Throws where an objective needs features and there is no source. */
export function measuresOf(
  { needs }: Pick<Objective, "needs">,
  { referenceMode, params }: Pick<RunConfig, "referenceMode" | "params">,
  features: FeatureSource | null = null,
): Measures {
  const isTapped = needs.includes("features");
  if (isTapped && features === null) {
    throw new Error("The objective compares features, and no sparse autoencoder is loaded.");
  }
  return {
    hasTokenKl: needs.includes("tokenKl"),
    isReferenceLive: referenceMode === "live",
    tap: isTapped && features !== null ? { ...features, errors: driftOptions(params) } : null,
  };
}

/** What counts as drift, by the knobs of an objective that compares features, be it the first or the second. */
function driftOptions(params: Readonly<Record<string, number>>): FeatureErrorOptions {
  const knob = (key: string) => params[key] ?? params[`${secondPrefix}${key}`];
  return { mode: knob("featureMode") === 1 ? "released" : "paper", topK: knob("topK") ?? 1 };
}

/** What has to be remembered of each training pair; null when the reference runs within every step. */
export function trainingNeeds({ hasTokenKl, isReferenceLive, tap }: Measures): ReferenceNeeds | null {
  return isReferenceLive ? null : { hidden: hasTokenKl, features: tap !== null };
}

/** What has to be remembered of each held-out pair: an evaluation runs the reference itself for its KL. */
export function heldoutNeeds({ tap }: Measures): ReferenceNeeds {
  return { hidden: false, features: tap !== null };
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
  }: { train: readonly TokenPair[]; heldout: readonly TokenPair[]; reference: ReferenceCache },
): number {
  const needs = trainingNeeds(measures);
  const evaluated = heldout.slice(0, config.evalPairs);
  const missing = needs === null ? 0 : reference.missing(train, needs).length;
  return (
    Math.min(missing, usedPairs(config, train)) + reference.missing(evaluated, heldoutNeeds(measures)).length
  );
}

/** Bytes that a run remembers of the reference: of a mean training pair, and of its training and held-out pairs in all. */
export function referenceBytes(
  config: RunConfig,
  measures: Measures,
  data: {
    readonly train: readonly TokenPair[];
    readonly heldout: readonly TokenPair[];
    readonly hiddenSize: number;
  },
): { readonly perPair: number; readonly total: number } {
  const { train, heldout, hiddenSize } = data;
  const needs = trainingNeeds(measures);
  const used = usedPairs(config, train);
  const answerTokens = train.reduce((sum, { chosen, rejected }) => sum + chosen.length + rejected.length, 0);
  const width = measures.tap?.sae.width ?? 0;
  const sizes = {
    tokens: answerTokens / Math.max(1, train.length),
    hiddenSize,
    features: { nonZero: Math.round(width * ACTIVE_SHARE), width },
  };
  const perPair = needs === null ? 0 : referenceBytesPerPair(needs, sizes);
  const evaluated = Math.min(heldout.length, config.evalPairs);
  const total = used * perPair + evaluated * referenceBytesPerPair(heldoutNeeds(measures), sizes);
  return { perPair: Math.round(perPair), total: Math.round(total) };
}
