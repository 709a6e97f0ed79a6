/** What is read out of the features of a text. */
import type { LARGEST_FEATURES } from "../../../engine/features/promptFeatures.ts";
import type { FeatureTable, PromptFeatures } from "../../../worker/protocol.ts";

/** A feature's activation at every token; 0 where it is not among the active ones. */
export function activationsOf(
  { features, tokens, activations }: Pick<PromptFeatures, "features" | "tokens" | "activations">,
  feature: number,
): number[] {
  const column = features.indexOf(feature);
  return tokens.map((_, token) => (column < 0 ? 0 : (activations[token * features.length + column] ?? 0)));
}

/** Features that an answer lists at most. */
const mostListed: typeof LARGEST_FEATURES = 256;

/** What is known of a feature that an answer does not list. */
export function unlistedSentence({ features }: Pick<PromptFeatures, "features">): string {
  if (features.length < mostListed) return "This text does not set it off.";
  return `Not among the ${mostListed} features that this text sets off most.`;
}

/** The tokens of a text as they are read: the start of text has no characters of its own. */
export function readableTokens({ tokens, isStart }: Pick<PromptFeatures, "tokens" | "isStart">): string[] {
  return tokens.map((token, index) => (isStart[index] === true ? "⟨start⟩" : token));
}

/** A feature of a text, as the list of the prompt view shows it. */
export interface PromptFeature {
  readonly feature: number;
  /** Name that its tokens suggest. */
  readonly name: string;
  readonly strongest: number;
  /** Tokens of the text at which it is active. */
  readonly count: number;
  /** Share of the positions of the loaded pairs at which it is active; null before the table is there. */
  readonly density: number | null;
}

/** How the list of the prompt view is made. */
export interface PromptListOptions {
  readonly order: "strength" | "frequency";
  /** Largest density that is not hidden. */
  readonly densest: number;
}

/** The features of a text in their order, without those that are too dense to tell much. */
export function promptList(
  answer: PromptFeatures,
  table: FeatureTable | null,
  { order, densest }: PromptListOptions,
): PromptFeature[] {
  const rows = Array.from(answer.features, (feature, column) => {
    const values = answer.tokens.map(
      (_, token) => answer.activations[token * answer.features.length + column] ?? 0,
    );
    return {
      feature,
      name: answer.names[column] ?? "",
      strongest: values.reduce((most, value) => Math.max(most, value), 0),
      count: values.filter((value) => value > 0).length,
      density: table?.density[feature] ?? null,
    };
  });
  const weight = (row: PromptFeature) => (order === "strength" ? row.strongest : row.count);
  return rows
    .filter(({ density }) => density === null || density <= densest)
    .sort((left, right) => weight(right) - weight(left) || left.feature - right.feature);
}
