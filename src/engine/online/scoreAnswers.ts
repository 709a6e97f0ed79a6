/** Scores of a round's answers by all judges, and what happens where one of them fails. */
import { promptsAtOnce } from "../generation/generate.ts";
import type { JudgedAnswer } from "../judges/answerJudge.ts";
import { restingPlace, type RoundContext, type RoundReport } from "./roundContext.ts";
import type { JudgeFailure, RoundRecord } from "./roundRecord.ts";
import type { DrawnAnswer } from "./roundsState.ts";

/**
 * Asks every judge for the verdicts that it has not given yet. Where some are missing then, the run may pause: the judges
 * are asked again for these alone as often as that is decided.
 */
export async function* scoreRound(
  context: RoundContext,
  step: number,
  recordSoFar: () => RoundRecord,
): AsyncGenerator<RoundReport, void> {
  const { state, config } = context;
  for (;;) {
    if (state.failures.length > 0) forgetFailures(state);
    yield* askAll(context, step);
    const failures = failuresOf(context);
    state.failures = failures;
    if (failures.length === 0 || config.onJudgeFailure === "goOn") return;
    yield { kind: "round", record: recordSoFar() };
    const decided: { choice: "retry" | "goOn" } = { choice: "goOn" };
    yield {
      kind: "judgeFailed",
      failures,
      decide: (choice) => {
        decided.choice = choice;
      },
    };
    // A stop decides nothing: whoever resumes the run asks the judges again.
    context.signal.throwIfAborted();
    if (decided.choice === "goOn") return;
  }
}

function forgetFailures(state: RoundContext["state"]): void {
  state.verdicts = state.verdicts.map((verdicts) =>
    verdicts.map((verdict) => (verdict !== null && "reason" in verdict ? null : verdict)),
  );
}

async function* askAll(context: RoundContext, step: number): AsyncGenerator<RoundReport, void> {
  const { judges, state, signal } = context;
  if (state.verdicts.length === 0) state.verdicts = judges.map(() => state.answers.map(() => null));
  const asked = state.answers.filter(({ ids }) => ids.length > 0).length;
  for (const [place, { judge }] of judges.entries()) {
    const verdicts = state.verdicts[place] ?? [];
    const missing = [...state.answers.keys()].filter(
      (answer) => verdicts[answer] === null && (state.answers[answer]?.ids.length ?? 0) > 0,
    );
    let done = place * asked + asked - missing.length;
    for (const some of wholePrompts(state.answers, missing)) {
      yield { kind: "judging", step, done, total: judges.length * asked };
      const answers = some.flatMap((answer) => judged(context, state.answers[answer]));
      for (const [index, verdict] of (await judge.score(answers, signal)).entries()) {
        verdicts[some[index] ?? 0] = verdict;
      }
      done += some.length;
      yield restingPlace;
    }
  }
}

/** Places of answers in parts of some prompts each, because judges may compare the answers to one. */
function wholePrompts(answers: readonly DrawnAnswer[], places: readonly number[]): number[][] {
  const parts: number[][] = [];
  let part: number[] = [];
  for (const place of places) {
    const isOfNext = answers[place]?.prompt !== answers[part.at(-1) ?? -1]?.prompt;
    if (part.length >= promptsAtOnce && isOfNext) {
      parts.push(part);
      part = [];
    }
    part.push(place);
  }
  return part.length === 0 ? parts : [...parts, part];
}

function judged({ prompts }: RoundContext, answer: DrawnAnswer | undefined): JudgedAnswer[] {
  const prompt = prompts[answer?.prompt ?? -1];
  if (answer === undefined || prompt === undefined) return [];
  const { ids, text } = answer;
  return [{ prompt: prompt.text, answer: text, promptIds: prompt.ids, answerIds: Int32Array.from(ids) }];
}

function failuresOf({ judges, prompts, state }: RoundContext): JudgeFailure[] {
  return judges.flatMap(({ judge: { label } }, place) =>
    state.answers.flatMap(({ prompt, text }, answer) => {
      const verdict = state.verdicts[place]?.[answer] ?? null;
      if (verdict === null || !("reason" in verdict)) return [];
      const { reason } = verdict;
      return [{ judge: label, prompt: prompts[prompt]?.text ?? "", answer: text, reason }];
    }),
  );
}
