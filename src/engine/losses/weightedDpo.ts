/** The common part of objectives that multiply the DPO loss of a pair by a number that carries no gradient. */
import { choiceOf, choiceSpec } from "./choiceSpec.ts";
import type { ObjectiveResult } from "./objective.ts";
import type { RatioInput } from "./ratioLoss.ts";
import { marginLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

/** Knob that divides the weights by their mean. */
export const normaliseKnob = choiceSpec({
  key: "normalise",
  label: "Normalise",
  help: "Divide the weights by their mean over the micro-batch, so that the steps are as large as DPO's.",
  choices: ["off", "batch"],
});

function normalised(weights: Float64Array): Float64Array {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  // Where every weight is 0 there is nothing to train on, and nothing to divide by.
  return mean > 0 ? weights.map((weight) => weight / mean) : weights;
}

/** DPO whose losses are multiplied by `weights`, one per pair, after the normalisation that the parameters ask for. */
export function weightedDpo(
  input: RatioInput,
  parameters: Readonly<Record<string, number>>,
  raw: Float64Array,
): ObjectiveResult {
  const weights = choiceOf(parameters, normaliseKnob) === "batch" ? normalised(raw) : raw;
  const result = marginLoss(input, (u, pair) => ({
    loss: weights[pair]! * softplus(-u),
    slope: -weights[pair]! * sigmoid(-u),
  }));
  return { ...result, weights };
}
