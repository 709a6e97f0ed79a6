/** A reward model on the device as a judge. */
import type { AnswerJudge, JudgedAnswer, Verdict } from "../../engine/judges/answerJudge.ts";
import type { JudgeSpec } from "../../engine/judges/judgeSpec.ts";
import { withReasons } from "../../engine/judges/withReasons.ts";
import type { PlacedRewardModel } from "../../engine/rewardModel/rewardModel.ts";

/** Answers between two looks at whether somebody wants to stop. */
const ANSWERS_AT_ONCE = 64;

/** What the judge is called, and how many tokens its model reads. */
export interface RewardJudgeSettings {
  readonly spec: JudgeSpec;
  readonly label: string;
  readonly maxPositions: number;
}

/** Scores an answer with its reward, which has no bounds; an answer that the model cannot read gets the reason. */
export function rewardModelJudge(
  placed: Pick<PlacedRewardModel, "score">,
  { spec, label, maxPositions }: RewardJudgeSettings,
): AnswerJudge {
  return withReasons({
    spec,
    label,
    score: async (answers, signal) => {
      const verdicts: Verdict[] = answers.map((answer) => ({ reason: whyUnread(answer, maxPositions) }));
      const read = [...answers.entries()].filter(([, answer]) => whyUnread(answer, maxPositions) === "");
      for (let from = 0; from < read.length; from += ANSWERS_AT_ONCE) {
        signal.throwIfAborted();
        const some = read.slice(from, from + ANSWERS_AT_ONCE);
        const texts = some.map(([, { promptIds, answerIds }]) => ({ prompt: promptIds, answer: answerIds }));
        const rewards = await placed.score(texts);
        for (const [index, [at]] of some.entries()) verdicts[at] = { score: rewards[index] ?? NaN };
      }
      return verdicts;
    },
  });
}

/** Why the model cannot read an answer behind its prompt; "" where it can. */
function whyUnread({ promptIds, answerIds }: JudgedAnswer, maxPositions: number): string {
  const tokens = promptIds.length + answerIds.length;
  if (answerIds.length === 0) return "The answer has no tokens.";
  if (tokens <= maxPositions) return "";
  return `The prompt and the answer have ${tokens} tokens; the model reads ${maxPositions}.`;
}
