import { textOf } from "../row.ts";
import type { SetRow } from "./setRow.ts";
import { DataStepError, type StepContext, type StepOf } from "./stepContext.ts";

/** Pairs that are embedded together: only as many as are looked at. */
const AT_ONCE = 32;
/** Below this a vector has no direction. */
const NO_LENGTH = 1e-12;

/**
 * Score first, diverse all the same (deita, arXiv 2312.15685): in falling order of score a pair is kept unless its cosine
 * with one that is kept is above `similarity`, until there are enough. What is compared is the mean-pooled hidden state of
 * prompt and chosen answer; of equal scores the earlier pair goes first. The score is the judge's of the chosen answer, or
 * where the rows have no judge their stated gap.
 */
export const select: StepOf<"select"> = async (set, { pairs, similarity }, context) => {
  const { train } = set;
  const { scores, name } = await scoresOfAll(train, context);
  const order = [...train.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const kept: { readonly index: number; readonly direction: Float32Array }[] = [];
  let looked = 0;
  while (kept.length < pairs && looked < order.length) {
    const some = order.slice(looked, looked + AT_ONCE);
    const vectors = await context.embed(some.map((index) => wholeText(train[index])));
    for (const [at, index] of some.entries()) {
      if (kept.length === pairs) break;
      looked++;
      const direction = unit(vectors[at] ?? new Float32Array());
      if (kept.every((other) => cosine(other.direction, direction) <= similarity)) {
        kept.push({ index, direction });
      }
      await context.giveWay();
    }
  }
  const chosen = new Set(kept.map(({ index }) => index));
  const found = `Kept ${kept.length} of ${train.length} training pairs by ${name}, none more alike than ${similarity}`;
  const sentence =
    kept.length < pairs
      ? `${found}; ${pairs} were asked for, and every other one is too much like one of these.`
      : `${found}; ${looked} were looked at.`;
  return { set: { ...set, train: train.filter((_, index) => chosen.has(index)) }, sentence };
};

/** Scores of one kind for all rows; judges and stated gaps have different scales and are not mixed. */
async function scoresOfAll(
  rows: readonly SetRow[],
  { giveWay }: StepContext,
): Promise<{ readonly scores: readonly number[]; readonly name: string }> {
  const isJudged = rows.every(({ judge }) => judge !== null);
  const unscored = rows.filter(({ scores }) => scores === undefined).length;
  if (!isJudged && unscored > 0) {
    throw new DataStepError(
      `${unscored} of ${rows.length} training pairs have neither a judge nor scores to be selected by: choose a set with a judge, or a file with score_chosen and score_rejected.`,
    );
  }
  const scores: number[] = [];
  for (const { judge, scores: stated, prompt, chosen } of rows) {
    const gap = (stated?.chosen ?? 0) - (stated?.rejected ?? 0);
    scores.push(isJudged && judge !== null ? judge.score(textOf(prompt), textOf(chosen)) : gap);
    await giveWay();
  }
  return { scores, name: isJudged ? "the judge's score of the chosen answer" : "the stated gap" };
}

function wholeText(row: SetRow | undefined): string {
  if (row === undefined) return "";
  const between = typeof row.prompt === "string" ? "" : "\n";
  return textOf(row.prompt) + between + textOf(row.chosen);
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length < NO_LENGTH ? new Float32Array(vector.length) : vector.map((value) => value / length);
}

/** The cosine of two vectors of length 1; rounding makes none more alike than equal ones. */
function cosine(first: Float32Array, second: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < first.length; at++) sum += (first[at] ?? 0) * (second[at] ?? 0);
  return Math.min(1, sum);
}
