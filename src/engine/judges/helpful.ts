import type { Judge } from "./judge.ts";
import { contentWords, isDegenerate, lexiconSum, squash } from "./lexicon.ts";
import lexicons from "./lexicons.json" with { type: "json" };

/** The most that words shared with the question can add. */
const MAX_ON_TOPIC = 1;
/** What one new content word adds, and the most that all of them can add. */
const NEW_WORD = 0.25;
const MAX_NEW_WORDS = 1;

/** Scores whether an answer stays on the question and says something new, or evades. */
export const helpful: Judge = {
  id: "helpful",
  label: "Helpful",
  help: "Rewards an answer that takes up the words of the question and adds new ones; phrases that evade count against it.",
  score: (prompt, answer) => {
    if (isDegenerate(answer)) return 0;
    const asked = contentWords(prompt);
    const given = [...contentWords(answer)];
    const shared = given.filter((word) => asked.has(word)).length;
    const evasion = Math.max(0, lexiconSum(answer, lexicons.evasive));
    if (shared === 0) return evasion > 0 ? -squash(evasion) : 0;
    const onTopic = Math.min(MAX_ON_TOPIC, shared / 2);
    const added = Math.min(MAX_NEW_WORDS, (given.length - shared) * NEW_WORD);
    const substance = evasion > 0 ? 0 : onTopic * added;
    return squash(substance + lexiconSum(answer, lexicons.direct) / 2 - 2 * evasion);
  },
};
