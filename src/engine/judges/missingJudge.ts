/** What is said of a judge that is not at hand, in the same words wherever it is missed. */

/** Of the language model, before its address was typed in. */
export const noAddress = "The language model has no address yet: type it in under Judges.";

/** Of a reward model that is neither shipped, nor trained, nor opened. */
export function noRewardModel(id: string): string {
  if (id === "") return "Choose a reward model.";
  return `There is no reward model "${id}" at hand: train it or open its files again, or choose another one.`;
}
