/**
 * What the parts of a round work with. The held-out judge is not among it: no part that draws, pairs or weighs could ask
 * it.
 */
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import type { RunConfig } from "../training/config.ts";
import type { OnlineReport, OnlineSetup } from "./onlineSetup.ts";
import type { RoundsState } from "./roundsState.ts";

/** The parts of a setup that make pairs. */
export interface RoundContext extends Pick<OnlineSetup, "prompts" | "judges" | "tokenizer" | "signal"> {
  readonly config: RunConfig;
  /** The reference that the run started from. */
  readonly model: Model;
  /** The policy as it is. */
  readonly weights: Weights;
  readonly state: RoundsState;
}

/** A report, or a place at which the run may be saved, left and gone on with. */
export type RoundReport = OnlineReport | { readonly kind: "restingPlace" };

/** Nothing is in flight here, and the state says where to go on. */
export const restingPlace: RoundReport = { kind: "restingPlace" };
