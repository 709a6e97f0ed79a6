/** What the pairs of a round are compared with: the model that the run started from, or the policy at the round's start. */
import { createReferenceCache, type ReferenceCache } from "../reference/referenceCache.ts";
import type { Model } from "../models/decoder.ts";
import type { RunConfig } from "../training/config.ts";
import { movableReference, type MovableReference } from "../training/policy.ts";

/** Parameters by name. */
type Values = Readonly<Record<string, Float32Array>>;

/** A reference policy with what is remembered of it. */
export interface Reference {
  readonly model: Model;
  readonly reference: ReferenceCache;
}

/** The reference of every round. */
export interface RoundReference {
  /** The reference of the round that begins; `policy` reads the policy's parameters, which it moves to if it is one that moves. */
  readonly open: (policy: () => Promise<Values>) => Promise<Reference>;
  /** The parameters that it stands at; empty between rounds, and where it does not move. */
  readonly values: () => Values;
  /** Ends the round. */
  readonly close: () => void;
  readonly dispose: () => void;
}

/** The references of a run's rounds: `start` is that of the run, `resumed` where the one under way stands. */
export function createRoundReference(
  config: RunConfig,
  start: Reference,
  resumed: Values = {},
): RoundReference {
  if (config.onlineReference === "initial") {
    // What is remembered of drawn pairs ends with the run.
    const own = { model: start.model, reference: createReferenceCache(start.reference.records()) };
    const nothing = () => undefined;
    return { open: () => Promise.resolve(own), values: () => ({}), close: nothing, dispose: nothing };
  }
  let moving: MovableReference | null = null;
  let values = resumed;
  return {
    open: async (policy) => {
      moving ??= movableReference(start.model, config);
      values = moving.moveTo(Object.keys(values).length > 0 ? values : await policy());
      return { model: moving.model, reference: createReferenceCache() };
    },
    values: () => values,
    close: () => {
      values = {};
    },
    dispose: () => moving?.dispose(),
  };
}
