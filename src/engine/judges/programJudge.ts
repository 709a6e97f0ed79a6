/** Judges that are programs, in the form that online rounds ask. */
import type { AnswerJudge, JudgedAnswer, Verdict } from "./answerJudge.ts";
import { judges } from "./index.ts";
import type { Judge } from "./judge.ts";
import { judgeCards } from "./judgeCards.ts";
import type { JudgeSpec } from "./judgeSpec.ts";
import { containsScore, lengthScore, patternScore, wordsScore } from "./settingJudges.ts";
import { reasonOf, withReasons } from "./withReasons.ts";

/** The judges that score by a program alone. */
export type ProgramSpec = Extract<
  JudgeSpec,
  { readonly kind: "program" | "words" | "length" | "pattern" | "contains" }
>;

/** Whether a judge scores by a program alone. */
export function isProgramSpec(spec: JudgeSpec): spec is ProgramSpec {
  return ["program", "words", "length", "pattern", "contains"].includes(spec.kind);
}

/** Scores one answer to one prompt; may throw for some. */
type Score = (answer: Pick<JudgedAnswer, "prompt" | "answer">) => number;

/** The label of a judge's card. */
export function kindLabel(kind: JudgeSpec["kind"]): string {
  return judgeCards.find((card) => card.kind === kind)?.label ?? kind;
}

/** The built-in judge of a key of `judges/index.ts`; null where there is none. */
export function builtInJudge(id: string): Judge | null {
  return Object.entries<Judge>(judges).find(([key]) => key === id)?.[1] ?? null;
}

/** The key of a built-in judge in `judges/index.ts`; null where it is none of them. */
export function builtInKey(judge: Pick<Judge, "id">): string | null {
  return Object.entries<Judge>(judges).find(([, { id }]) => id === judge.id)?.[0] ?? null;
}

/**
 * The judge that a specification asks for. Throws RangeError for a program that does not exist and `PatternError` for a
 * pattern that cannot be run; an answer that a program throws at gets the reason as its verdict.
 */
export function programJudge(spec: ProgramSpec): AnswerJudge {
  return scoringJudge(spec, labelOf(spec), scoreOf(spec));
}

/** A judge that scores one answer after another; those that it throws at get the reason as their verdict. */
export function scoringJudge(spec: JudgeSpec, label: string, score: Score): AnswerJudge {
  const verdictOf = (answer: JudgedAnswer): Verdict => {
    try {
      return { score: score(answer) };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  };
  return withReasons({ spec, label, score: (answers) => Promise.resolve(answers.map(verdictOf)) });
}

function labelOf(spec: ProgramSpec): string {
  return (spec.kind === "program" ? builtInJudge(spec.id)?.label : undefined) ?? kindLabel(spec.kind);
}

function scoreOf(spec: ProgramSpec): Score {
  if (spec.kind === "program") {
    const judge = builtInJudge(spec.id);
    if (judge === null) throw new RangeError(`There is no judge "${spec.id}".`);
    return ({ prompt, answer }) => judge.score(prompt, answer);
  }
  const score = answerScore(spec);
  return ({ answer }) => score(answer);
}

function answerScore(spec: Exclude<ProgramSpec, { kind: "program" }>): (answer: string) => number {
  switch (spec.kind) {
    case "words":
      return wordsScore(spec);
    case "length":
      return lengthScore(spec);
    case "pattern":
      return patternScore(spec);
    case "contains":
      return containsScore(spec);
  }
}
