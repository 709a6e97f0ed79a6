/**
 * What an objective is: plain numbers in, losses and two gradient scalars per pair out. It sees the model only
 * through the summed log-probs of the answers, so one shared kernel turns its scalars into gradients of the logits.
 */

/** One side (chosen or rejected) of the pairs of a batch. */
export interface SideStatistics {
  /** Summed log-probs over the scored tokens, in nats, per pair. */
  readonly logps: Float64Array;
  /** Scored tokens per pair, at least 1. */
  readonly tokens: Float64Array;
  /** The same sums under the reference model. */
  readonly referenceLogps?: Float64Array;
  /** Sequential KL(reference ‖ policy) over the scored tokens, summed, in nats; for `tokenKl`. */
  readonly divergences?: Float64Array;
  /** Squared drift D of the answer's pooled features from the reference's; for `features`. */
  readonly featureErrors?: Float64Array;
  /** Mean over the scored tokens of log p(token) − log Σ p², in nats; for `policyConfidence`. */
  readonly confidences?: Float64Array;
}

/** What an objective is told about a batch. */
export interface PairStatistics {
  readonly pairs: number;
  readonly chosen: SideStatistics;
  readonly rejected: SideStatistics;
  /** Log-ratio, in nats, of another pair's answer after each pair's prompt; for `mismatchedAnswers`. */
  readonly mismatchedRatios?: Float64Array;
  /** Judge score of the chosen answer less that of the rejected one, in the judge's units; for `rewardGap`. */
  readonly rewardGaps?: Float64Array;
  /** Weight that the data gives each pair; for `pairWeight`. */
  readonly pairWeights?: Float64Array;
  /** 1 for each pair that has two answers to one prompt, else 0; absent where all have. */
  readonly isOfOnePrompt?: Uint8Array;
}

/** Sizes of the whole optimizer step, which make results independent of how it is split into micro-batches. */
export interface StepTotals {
  readonly pairs: number;
  readonly chosenTokens: number;
}

/** What an objective makes of a batch. */
export interface ObjectiveResult {
  /** Loss per pair; the mean over the pairs of the step is the loss of the step. */
  readonly losses: Float64Array;
  /** Derivative of the loss of the step with respect to the summed log-prob of each chosen answer. */
  readonly chosenGradient: Float64Array;
  /** The same for each rejected answer. */
  readonly rejectedGradient: Float64Array;
  /** Logged rewards per pair; empty where the objective defines none without a reference. */
  readonly chosenRewards: Float64Array;
  /** The same for each rejected answer. */
  readonly rejectedRewards: Float64Array;
  /** The argument u of the sigmoid per pair, for objectives of the form softplus(-u). */
  readonly arguments?: Float64Array;
  /** Derivative with respect to the sequential KL of each chosen answer; absent where it carries no gradient. */
  readonly chosenDivergenceGradient?: Float64Array;
  readonly rejectedDivergenceGradient?: Float64Array;
  /** Derivative with respect to the feature error of each chosen answer; absent where it carries no gradient. */
  readonly chosenFeatureGradient?: Float64Array;
  readonly rejectedFeatureGradient?: Float64Array;
  /** What each pair's loss was multiplied by, for weighted objectives. */
  readonly weights?: Float64Array;
  /** Further metrics by their full name, as sums and what they are divided by. */
  readonly metrics?: Readonly<Record<string, { readonly sum: number; readonly weight: number }>>;
}

/** One number that a person can set. */
export interface ParameterSpec {
  readonly key: string;
  readonly label: string;
  readonly help: string;
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly scale: "linear" | "log";
  /** A choice instead of a number: names of the values 0, 1, and so on. */
  readonly choices?: readonly string[];
  /** Only whole numbers. */
  readonly isWhole?: boolean;
  /** Where the value is absent the default is meant; every other number must be given. */
  readonly isOptional?: boolean;
  /** The published value, such as "paper: 0.1". */
  readonly paper?: string;
  /** The method's formula where the knob is 0, 1 and so on, if it is another one; the last holds for all beyond. */
  readonly formulas?: readonly string[];
}

/** Inputs beyond the policy's log-probs that an objective can ask for. */
export type ObjectiveNeed =
  | "referenceLogps"
  | "tokenKl"
  | "features"
  | "mismatchedAnswers"
  | "rewardGap"
  | "policyConfidence"
  | "pairWeight";

/** Kinds of objectives, in the order in which the page shows them. */
export const objectiveGroups = [
  "imitate",
  "reference",
  "reference-free",
  "token",
  "feature",
  "unpaired",
  "weighted",
] as const;

/** The kind of an objective. */
export type ObjectiveGroup = (typeof objectiveGroups)[number];

/** A loss on preference pairs with everything the page says about it. */
export interface Objective {
  readonly id: string;
  readonly label: string;
  readonly group: ObjectiveGroup;
  /** What it does in one sentence. */
  readonly sentence: string;
  /** The loss per pair in plain text. */
  readonly formula: string;
  readonly parameters: readonly ParameterSpec[];
  readonly needs: readonly ObjectiveNeed[];
  /** It compares the pairs of a micro-batch with one another, and has nothing to say of one alone. */
  readonly comparesPairs?: boolean;
  /** Curves to look at, what they do in a healthy run, and what trouble looks like with its remedy. */
  readonly watch: string;
  readonly healthy: string;
  readonly trouble: string;
  readonly paper: { readonly title: string; readonly url: string };
  readonly compute: (
    statistics: PairStatistics,
    parameters: Readonly<Record<string, number>>,
    totals: StepTotals,
  ) => ObjectiveResult;
}

/** An objective was computed without a parameter or an input that it needs. */
export class ObjectiveInputError extends Error {
  override name = "ObjectiveInputError";
}

/** A parameter by its key; throws `ObjectiveInputError` when it is missing or not finite. */
export function parameterOf(parameters: Readonly<Record<string, number>>, key: string): number {
  const value = parameters[key];
  if (value === undefined || !Number.isFinite(value)) {
    throw new ObjectiveInputError(`parameter ${key} is ${value}, a finite number is needed`);
  }
  return value;
}

/** An optional parameter: its default where it is absent; throws `ObjectiveInputError` when it is not finite. */
export function optionOf(parameters: Readonly<Record<string, number>>, spec: ParameterSpec): number {
  return parameters[spec.key] === undefined ? spec.default : parameterOf(parameters, spec.key);
}

/** An input by what it is called; throws `ObjectiveInputError` when the batch has none, or not one for every pair. */
export function inputOf(
  values: Float64Array | undefined,
  name: string,
  { pairs }: PairStatistics,
): Float64Array {
  if (values === undefined) throw new ObjectiveInputError(`${name} are needed for every pair`);
  if (values.length !== pairs) {
    throw new ObjectiveInputError(`${name} are needed for all ${pairs} pairs, there are ${values.length}`);
  }
  return values;
}

/** Log-ratios to the reference per pair, in nats; undefined when the batch has no reference log-probs. */
export function logRatiosOf({ logps, referenceLogps }: SideStatistics): Float64Array | undefined {
  return referenceLogps && logps.map((logp, pair) => logp - referenceLogps[pair]!);
}

/** Log-ratios of both sides for objectives that need them; throws `ObjectiveInputError` without reference log-probs. */
export function logRatioPairs({ chosen, rejected }: PairStatistics): {
  chosen: Float64Array;
  rejected: Float64Array;
} {
  const ratios = { chosen: logRatiosOf(chosen), rejected: logRatiosOf(rejected) };
  if (!ratios.chosen || !ratios.rejected) {
    throw new ObjectiveInputError("reference log-probs are needed for both answers of every pair");
  }
  return { chosen: ratios.chosen, rejected: ratios.rejected };
}
