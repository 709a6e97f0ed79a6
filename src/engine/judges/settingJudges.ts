/** Programs that a person sets up: each score is a plain function of the answer. */
import { patternSearch } from "../search/textSearch.ts";
import type { JudgeSpec } from "./judgeSpec.ts";
import { countWords, splitTokens } from "./tokens.ts";

type SpecOf<Kind extends JudgeSpec["kind"]> = Extract<JudgeSpec, { kind: Kind }>;

/** The score of an answer, whatever its prompt. */
export type AnswerScore = (answer: string) => number;

/**
 * Counts liked words against disliked ones, every time they stand there, without a cap: from −∞ to ∞. An entry is a word or a
 * phrase, matched as a whole and whatever its case; entries of white space count nothing.
 */
export function wordsScore({ liked, disliked }: SpecOf<"words">): AnswerScore {
  const phrases = [
    ...liked.map((entry) => ({ tokens: splitTokens(entry), worth: 1 })),
    ...disliked.map((entry) => ({ tokens: splitTokens(entry), worth: -1 })),
  ];
  const byFirst = new Map<string, (typeof phrases)[number][]>();
  for (const phrase of phrases) {
    const [first] = phrase.tokens;
    if (first !== undefined) byFirst.set(first, [...(byFirst.get(first) ?? []), phrase]);
  }
  return (answer) => {
    const found = splitTokens(answer);
    return found.reduce((sum, token, at) => {
      const begun = byFirst.get(token) ?? [];
      const here = begun.filter(({ tokens }) => tokens.every((wanted, next) => found[at + next] === wanted));
      return here.reduce((total, { worth }) => total + worth, sum);
    }, 0);
  };
}

/** 1 − |log₂(words / words wanted)|, at least −1: 1 at the length that is wanted, 0 at half and at twice of it. */
export function lengthScore({ words }: SpecOf<"length">): AnswerScore {
  return (answer) => Math.max(-1, 1 - Math.abs(Math.log2(countWords(answer) / words)));
}

/** 1 where the pattern matches anywhere, 0 elsewhere. Throws `PatternError` for a pattern that cannot be run. */
export function patternScore({ pattern }: SpecOf<"pattern">): AnswerScore {
  const matches = patternSearch(pattern);
  return (answer) => Number(matches(answer));
}

/** Share of the texts wanted minus share of the texts to avoid, from −1 to 1 and whatever their case; an empty list counts nothing. */
export function containsScore({ wanted, avoided }: SpecOf<"contains">): AnswerScore {
  const [good, bad] = [wanted, avoided].map((texts) => texts.map((text) => text.toLowerCase()));
  return (answer) => {
    const within = answer.toLowerCase();
    const share = (texts: readonly string[] = []) =>
      texts.filter((text) => within.includes(text)).length / Math.max(1, texts.length);
    return share(good) - share(bad);
  };
}
