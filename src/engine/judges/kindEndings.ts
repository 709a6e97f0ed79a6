import type { Judge } from "./judge.ts";
import { isDegenerate, lexiconSum, squash } from "./lexicon.ts";
import lexicons from "./lexicons.json" with { type: "json" };

/** Scores how kindly people treat each other in the ending of a story. */
export const kindEndings: Judge = {
  id: "kind-endings",
  label: "Kind ending",
  help: "Counts words of kindness against words of unkindness. Each word counts once, and a negation turns it around.",
  score: (_prompt, answer) => {
    const sum = lexiconSum(answer, lexicons.kind) - lexiconSum(answer, lexicons.unkind);
    return squash(isDegenerate(answer) ? Math.min(0, sum) : sum);
  },
};
