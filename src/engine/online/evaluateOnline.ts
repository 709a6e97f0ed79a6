/** How the policy answers the held-out prompts: the only part that the held-out judge is given to. */
import { promptsAtOnce } from "../generation/generate.ts";
import type { AnswerJudge, JudgedAnswer, Verdict } from "../judges/answerJudge.ts";
import { answerPlaces, answerSeed, drawTogether, type DrawingSettings } from "./drawAnswers.ts";
import { meanOf, meanScoreOf, winRateOf } from "./intervals.ts";
import type { OnlineSetup } from "./onlineSetup.ts";
import { combinedScores } from "./pairing.ts";
import { restingPlace, type RoundContext, type RoundReport } from "./roundContext.ts";
import type { OnlineEvaluation } from "./roundRecord.ts";
import type { DrawnAnswer } from "./roundsState.ts";
import { scoreWritten, type WrittenScore } from "./scoreWritten.ts";

/** Stands for a round whose seed the answers to held-out prompts have. */
const HELDOUT = -1;

/** What evaluations need beside what makes pairs. */
export interface EvaluationContext
  extends Omit<RoundContext, "prompts">, Pick<OnlineSetup, "heldoutPrompts" | "heldoutJudge"> {}

/** Both scores of an answer. */
interface AnswerScores {
  readonly proxy: (number | null)[];
  readonly heldout: (number | null)[];
}

type EvaluationFailure = OnlineEvaluation["failures"][number];

/**
 * Answers every held-out prompt, always from the same seed, and compares with the answers of the model that the run started
 * from; before the first round as often as rounds do, for the best of n. A person is not asked for these answers.
 */
export async function* evaluateOnline(
  context: EvaluationContext,
  { rounds, step, seconds }: { readonly rounds: number; readonly step: number; readonly seconds: number },
): AsyncGenerator<RoundReport, OnlineEvaluation> {
  const { config, heldoutPrompts, heldoutJudge, state } = context;
  const perPrompt = rounds === 0 ? config.answersPerPrompt : 1;
  const answers = yield* drawHeldout(context, perPrompt, step);
  const { failures, ...scores } = yield* scoreHeldout(context, answers, step);
  const first = heldoutPrompts.map((_, prompt) => prompt * perPrompt);
  const own = { proxy: pick(scores.proxy, first), heldout: pick(scores.heldout, first) };
  state.start ??= own.proxy.map((proxy, prompt) => ({ proxy, heldout: own.heldout[prompt] ?? null }));
  const decider = heldoutJudge === null ? "proxy" : "heldout";
  const start = state.start.map((score) => score[decider]);
  const firstAnswers = first.flatMap((place) => answers[place] ?? []);
  // Means of other prompts are no decline: where a score is missing there is none.
  const known = own.heldout.filter((score) => score !== null);
  state.heldoutMeans[rounds] = known.length < own.heldout.length ? null : meanOf(known);
  const endsRun = hasDeclined(state.heldoutMeans, config.declineRounds);
  return {
    rounds,
    step,
    endsRun,
    seconds,
    proxy: meanScoreOf(own.proxy),
    heldout: meanScoreOf(own.heldout),
    failures,
    winRate: rounds === 0 ? null : winRateOf(own[decider], start),
    metrics: await answerMetrics(context, firstAnswers),
    samples: firstAnswers.map(({ prompt, text }, place) => ({
      prompt: heldoutPrompts[prompt]?.text ?? "",
      answer: text,
      proxy: own.proxy[place] ?? null,
      heldout: own.heldout[place] ?? null,
    })),
    bestOf: rounds === 0 ? bestOf(scores, heldoutPrompts.length, perPrompt) : [],
  };
}

async function* drawHeldout(
  context: EvaluationContext,
  perPrompt: number,
  step: number,
): AsyncGenerator<RoundReport, DrawnAnswer[]> {
  const { config, heldoutPrompts, signal } = context;
  const places = answerPlaces([...heldoutPrompts.keys()], perPrompt);
  const settings: DrawingSettings = {
    ...context,
    prompts: heldoutPrompts,
    temperature: config.sampleTemperature,
    topP: 1,
    seed: answerSeed(config.seed, HELDOUT),
  };
  const answers: DrawnAnswer[] = [];
  while (answers.length < places.length) {
    const done = answers.length;
    yield { kind: "generating", step, done, total: places.length };
    signal.throwIfAborted();
    answers.push(...(await drawTogether(settings, places.slice(done, done + promptsAtOnce))));
    // Nothing of it is kept: an evaluation that is left begins again.
    yield restingPlace;
  }
  return answers;
}

/** Both scores of every answer; those of judges that fail are missing. */
async function* scoreHeldout(
  context: EvaluationContext,
  answers: readonly DrawnAnswer[],
  step: number,
): AsyncGenerator<RoundReport, AnswerScores & Pick<OnlineEvaluation, "failures">> {
  const { heldoutPrompts, heldoutJudge, signal } = context;
  const judges = context.judges.filter(({ judge }) => judge.spec.kind !== "person");
  const asked = [...judges.map(({ judge }) => judge), ...(heldoutJudge === null ? [] : [heldoutJudge])];
  const judged = answers.map(({ prompt, ids, text }): JudgedAnswer => {
    const { text: promptText = "", ids: promptIds = new Int32Array() } = heldoutPrompts[prompt] ?? {};
    return { prompt: promptText, answer: text, promptIds, answerIds: Int32Array.from(ids) };
  });
  const verdictsOf = async function* (
    judge: AnswerJudge,
    place: number,
  ): AsyncGenerator<RoundReport, Verdict[]> {
    const verdicts: Verdict[] = [];
    while (verdicts.length < judged.length) {
      const done = verdicts.length;
      yield {
        kind: "judging",
        step,
        done: place * judged.length + done,
        total: asked.length * judged.length,
      };
      verdicts.push(...(await judge.score(judged.slice(done, done + promptsAtOnce), signal)));
      yield restingPlace;
    }
    return verdicts;
  };
  const verdicts: Verdict[][] = [];
  for (const [place, judge] of asked.entries()) verdicts.push(yield* verdictsOf(judge, place));
  const weights = judges.map(({ weight }) => weight);
  const none = answers.map(() => null);
  return {
    proxy: judges.length === 0 ? none : combinedScores(verdicts, weights, answers.length),
    heldout:
      heldoutJudge === null ? none : combinedScores(verdicts.slice(judges.length), [1], answers.length),
    failures: asked.flatMap(({ label }, place) => failuresOf(label, verdicts[place] ?? [])),
  };
}

function failuresOf(judge: string, verdicts: readonly Verdict[]): EvaluationFailure[] {
  const counts = new Map<string, number>();
  for (const verdict of verdicts) {
    if ("reason" in verdict) counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, answers]) => ({ judge, reason, answers }));
}

function pick<Value>(values: readonly (Value | null)[], places: readonly number[]): (Value | null)[] {
  return places.map((place) => values[place] ?? null);
}

/** Whether the mean has fallen from each of the last rounds to the next, so many times in a row. */
export function hasDeclined(means: readonly (number | null)[], rounds: number): boolean {
  if (rounds === 0 || means.length <= rounds) return false;
  const last = means.slice(-rounds - 1);
  return last.slice(1).every((mean, place) => {
    const before = last[place] ?? null;
    return mean !== null && before !== null && mean < before;
  });
}

/** Mean scores of the best by the proxy of the first 1, 2, 4 and so on, and of all `perPrompt`, answers to each prompt. */
export function bestOf(scores: AnswerScores, prompts: number, perPrompt: number): OnlineEvaluation["bestOf"] {
  const counts: number[] = [];
  for (let count = 1; count < perPrompt; count *= 2) counts.push(count);
  counts.push(perPrompt);
  return counts.flatMap((n) => {
    const best = Array.from({ length: prompts }, (_, prompt) => {
      const places = Array.from({ length: n }, (_place, answer) => prompt * perPrompt + answer);
      const scored = places.filter((place) => (scores.proxy[place] ?? null) !== null);
      const proxyOf = (place: number) => scores.proxy[place] ?? NaN;
      return scored.reduce<number | null>(
        (found, place) => (found !== null && proxyOf(found) >= proxyOf(place) ? found : place),
        null,
      );
    }).filter((place) => place !== null);
    const proxy = meanOf(pick(scores.proxy, best).filter((score) => score !== null));
    const heldout = meanOf(pick(scores.heldout, best).filter((score) => score !== null));
    return proxy === null ? [] : [{ n, proxy, heldout }];
  });
}

/** `samples/…` of one answer a prompt; KL and negative log-prob are summed over an answer, entropy is a mean of tokens. */
async function answerMetrics(
  { model, weights, heldoutPrompts }: EvaluationContext,
  answers: readonly DrawnAnswer[],
): Promise<Record<string, number>> {
  const written = answers.map(({ prompt, ids }) => ({
    promptIds: heldoutPrompts[prompt]?.ids ?? new Int32Array(),
    answerIds: ids,
  }));
  const scores = await scoreWritten(model, weights, written);
  const tokens = answers.reduce((sum, { ids }) => sum + ids.length, 0);
  if (tokens === 0) return {};
  const sumOf = (valueOf: (score: WrittenScore) => number) =>
    scores.reduce((sum, score) => sum + valueOf(score), 0);
  const distinct = distinctBigrams(answers.map(({ ids }) => ids));
  return {
    "samples/kl": sumOf(({ logp, referenceLogp }) => logp - referenceLogp) / answers.length,
    "samples/neg_logps": sumOf(({ logp }) => -logp) / answers.length,
    "samples/length": tokens / answers.length,
    "samples/entropy": sumOf(({ entropy }) => entropy) / tokens,
    ...(distinct === null ? {} : { "samples/distinct_2": distinct }),
  };
}

/** Distinct pairs of neighbouring tokens over all such pairs in some answers; null where there are none. */
export function distinctBigrams(answers: readonly (readonly number[])[]): number | null {
  const bigrams = answers.flatMap((ids) => ids.slice(1).map((id, place) => `${ids[place]} ${id}`));
  return bigrams.length === 0 ? null : new Set(bigrams).size / bigrams.length;
}
