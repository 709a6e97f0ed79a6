import type { Text } from "../row.ts";
import { alsoMadeBy, scoresOf, swapped, type SetRow } from "./setRow.ts";
import { DataStepError, needPairs, pairCount, type StepOf } from "./stepContext.ts";

/** Decimals of a goal as the prompt says it. */
const GOAL_DECIMALS = 2;

/**
 * What stands before a prompt to ask for an answer of a score. That the goal is written into the prompt is the method of
 * arXiv 2410.08067; the words are this studio's own.
 */
export function goalPrefix(goal: number): string {
  return `Write an answer with a score of ${goal.toFixed(GOAL_DECIMALS)}.\n`;
}

/**
 * Reward-conditioned relabelling (arXiv 2410.08067): every training pair stands in the set twice, under the goal of each
 * of its scores. With R(x, y, g) = −(g − r(x, y))² the goal of the chosen answer keeps the pair, that of the rejected one
 * turns it around, and the better answer under a goal has R = 0. Pairs whose two goals read the same have no better answer
 * and are left out.
 */
export const relabel: StepOf<"relabel"> = async (set, _step, { giveWay }) => {
  const { train } = set;
  needPairs(train, "turn around");
  let { nextPlace } = set;
  const made: SetRow[] = [];
  let equal = 0;
  for (const row of train) {
    await giveWay();
    const scores = scoresOf(row);
    if (scores === null) {
      const without = train.filter(({ judge, scores: stated }) => judge === null && stated === undefined);
      throw new DataStepError(
        `${without.length} of ${train.length} training pairs have neither scores nor a judge that could be their goal: choose a set with a judge, or a file with score_chosen and score_rejected.`,
      );
    }
    if (goalPrefix(scores.chosen) === goalPrefix(scores.rejected)) {
      equal++;
      continue;
    }
    const missed = { chosen: 0, rejected: -((scores.chosen - scores.rejected) ** 2) };
    made.push({ ...underGoal(row, scores.chosen), scores: missed });
    made.push({ ...underGoal(swapped(row), scores.rejected), scores: missed, place: nextPlace++ });
  }
  const left =
    equal === 0 ? "" : ` ${pairCount(equal)} with equal scores ${equal === 1 ? "is" : "are"} left out.`;
  return {
    set: { ...set, train: made, nextPlace },
    sentence: `Wrote ${pairCount(train.length - equal, "training pair")} under two goals each: ${made.length} pairs.${left}`,
  };
};

function underGoal(row: SetRow, goal: number): SetRow {
  const { prompt, rejectedPrompt } = row;
  return {
    ...row,
    prompt: withPrefix(prompt, goalPrefix(goal)),
    ...(rejectedPrompt === undefined ? {} : { rejectedPrompt: withPrefix(rejectedPrompt, goalPrefix(goal)) }),
    madeBy: alsoMadeBy(row, `goal ${goal.toFixed(GOAL_DECIMALS)}`),
  };
}

/** The prompt with a text before it; in a conversation before what the person says first. */
function withPrefix(prompt: Text, prefix: string): Text {
  if (typeof prompt === "string") return prefix + prompt;
  const first = Math.max(
    0,
    prompt.findIndex(({ role }) => role === "user"),
  );
  return prompt.map((message, index) =>
    index === first ? { ...message, content: prefix + message.content } : message,
  );
}
