/** What the passes of a run measure beside the policy's log-probs, and what that needs of the reference. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective } from "../losses/objective.ts";
import { onlyLogps, referenceBytesPerPair, type ReferenceNeeds } from "../reference/referenceCache.ts";
import type { RunConfig } from "./config.ts";

/** What a pass measures beside the policy's log-probs. */
export interface Measures {
  /** The head reads the reference's hidden states as well and measures the KL to it. */
  readonly hasTokenKl: boolean;
  /** The reference runs within the pass, with the adapters off; otherwise its numbers are handed in. */
  readonly isReferenceLive: boolean;
}

/** Log-probs of the policy alone, with a remembered reference. */
export const measuresNothing: Measures = { hasTokenKl: false, isReferenceLive: false };

/** What the training passes of a run measure. */
export function measuresOf(
  { needs }: Pick<Objective, "needs">,
  { referenceMode }: Pick<RunConfig, "referenceMode">,
): Measures {
  return { hasTokenKl: needs.includes("tokenKl"), isReferenceLive: referenceMode === "live" };
}

/** What has to be remembered of each training pair; null when the reference runs within every step. */
export function trainingNeeds({ hasTokenKl, isReferenceLive }: Measures): ReferenceNeeds | null {
  return isReferenceLive ? null : { hidden: hasTokenKl, features: false };
}

/** Held-out pairs need their log-probs alone: an evaluation runs the reference itself for its KL. */
export const heldoutNeeds: ReferenceNeeds = onlyLogps;

/** Bytes that a run remembers of the reference: those of its training pairs, then those of its held-out pairs. */
export function referenceBytes(
  config: RunConfig,
  measures: Measures,
  data: {
    readonly train: readonly TokenPair[];
    readonly heldout: readonly TokenPair[];
    readonly hiddenSize: number;
  },
): number {
  const { train, heldout, hiddenSize } = data;
  const needs = trainingNeeds(measures);
  const used = Math.min(train.length, config.steps * config.batchPairs * config.accumulationSteps);
  const answerTokens = train.reduce((sum, { chosen, rejected }) => sum + chosen.length + rejected.length, 0);
  const sizes = { tokens: answerTokens / Math.max(1, train.length), hiddenSize };
  return Math.round(
    used * (needs === null ? 0 : referenceBytesPerPair(needs, sizes)) +
      Math.min(heldout.length, config.evalPairs) * referenceBytesPerPair(heldoutNeeds),
  );
}
