/** What the table of OPTune reads from its runs, as pure functions of their records. */
import { mean } from "../results/statistics.mjs";
import { tInterval } from "./arithmetic.mjs";
import { finished, judgeOf, ofSeed } from "./training.mjs";

/** What a round spends its time on; the evaluation is no part of it. */
export const STAGES = ["generate", "score", "reference", "train"];
export const HALVES = { lowest: "online/gain_lowest_half", highest: "online/gain_highest_half" };

const sum = (values) => values.reduce((total, value) => total + value, 0);
const last = (record) => record.onlineEvaluations.at(-1);
const first = (record) => record.onlineEvaluations[0];

/** A number that a run must have; throws one sentence where it has none. */
function needed(value, what) {
  if (!Number.isFinite(value))
    throw new Error(`A run has no ${what}: its record is not that of an online run.`);
  return value;
}

const heldoutIn = (evaluation) => needed(evaluation?.heldout?.mean, "held-out score");

/** Seconds of one round in all stages, or in those that are named. */
export const roundSeconds = ({ seconds }, stages = STAGES) =>
  needed(sum(stages.map((stage) => seconds[stage])), "seconds of its rounds");

/** Seconds of all rounds. */
export const secondsOf = (record) => sum(record.rounds.map((round) => roundSeconds(round)));

/** Mean seconds of a round after the first: the first draws every prompt, whatever ρ is. */
export const laterSeconds = ({ rounds }, stages = STAGES) =>
  mean(rounds.slice(1).map((round) => roundSeconds(round, stages)));

/** Share of drawing and scoring in the rounds after the first of a run that draws every prompt. */
export const generationShare = (record) => laterSeconds(record, ["generate", "score"]) / laterSeconds(record);

/** Times faster that a round becomes where only a share ρ of it has to be drawn and scored. */
export const roundSpeedUp = (generation, share) => 1 / (1 - generation * (1 - share));

/** The same of a whole run, whose first round is a full one. */
export const runSpeedUp = (generation, share, rounds) =>
  rounds / (1 + (rounds - 1) / roundSpeedUp(generation, share));

/** Figures of an online run, from its last answers to the held-out prompts. */
export const onlineColumns = {
  heldout: (record) => heldoutIn(last(record)),
  winRate: (record) => needed(last(record)?.winRate?.share, "win rate"),
  proxy: (record) => needed(last(record)?.proxy?.mean, "proxy score"),
  kl: (record) => needed(last(record)?.metrics["samples/kl"], "KL of its answers"),
  seconds: secondsOf,
  tokens: ({ rounds }) => sum(rounds.map(({ generatedTokens }) => generatedTokens)),
};

/** Change of the held-out judge from the starting model to the end. */
export const rise = (record) => heldoutIn(last(record)) - heldoutIn(first(record));

/** Mean gain of a half of the prompts over the rounds after the first, by the key of `HALVES`. */
export const halfGain = (record, half) =>
  mean(
    record.rounds.slice(1).map(({ metrics }) => needed(metrics[HALVES[half]], `gain of the ${half} half`)),
  );

/** Share of prompts that had no pair to train on, over all rounds. */
export const pairlessShare = ({ rounds }) =>
  mean(rounds.map(({ prompts }) => prompts.filter(({ now }) => now === null).length / prompts.length));

/** Of the pairs that rounds trained on: mean gap of scores, mean weight, and effective sample size as a share of them. */
export const weightColumns = {
  gap: ({ rounds }) => mean(rounds.flatMap(gapsOf)),
  weight: ({ rounds }) => mean(rounds.map(({ metrics }) => needed(metrics["weights/mean"], "mean weight"))),
  effective: ({ rounds }) =>
    mean(
      rounds.map(
        (round) => needed(round.metrics["weights/ess"], "sample size of its weights") / gapsOf(round).length,
      ),
    ),
};
const gapsOf = ({ prompts }) =>
  prompts.flatMap(({ now }) => (now === null ? [] : [now.chosenScore - now.rejectedScore]));

/** Seconds, held-out score and win rate after every round; the starting model first. */
export const courseOf = ({ onlineEvaluations }) =>
  onlineEvaluations.map((evaluation) => ({
    seconds: needed(evaluation.seconds, "seconds of its evaluations"),
    heldout: heldoutIn(evaluation),
    winRate: evaluation.winRate?.share ?? null,
  }));

/** The held-out score at a time, on straight lines between evaluations; after the last one what it was there. */
export function scoreAt(course, seconds) {
  const index = course.findIndex((point) => point.seconds >= seconds);
  if (index < 0) return course.at(-1).heldout;
  const [before, after] = [course[Math.max(0, index - 1)], course[index]];
  const span = after.seconds - before.seconds;
  const share = span === 0 ? 1 : (seconds - before.seconds) / span;
  return before.heldout + share * (after.heldout - before.heldout);
}

/** What a cell scores at its end, less what `full` had scored in as many seconds. */
export const atEqualSeconds = (record, full) =>
  heldoutIn(last(record)) - scoreAt(courseOf(full), courseOf(record).at(-1).seconds);

/**
 * `read(one, other)` as an interval over the seeds that both have; null without such seeds. With `isTimed` only over runs
 * of one sitting, as the machine differs from one to the next.
 */
export function overPairs(runs, others, read, { isTimed = false } = {}) {
  const values = runs.flatMap(({ config: { seed } }) => {
    const [one, other] = [runs, others].map((some) => ofSeed(some, seed));
    if (one === undefined || other === undefined) return [];
    return isTimed && one.sitting !== other.sitting ? [] : [read(one, other)];
  });
  return values.length === 0 ? null : { ...tInterval(values), pairs: values.length };
}

/** Figures of the set's own pairs, whose answers are told as samples before and after. */
export const offlineColumns = {
  heldout: ({ samplesAfter }) => judgeOf(samplesAfter),
  winRate: ({ samplesBefore, samplesAfter }) => winShare(samplesBefore, samplesAfter),
  seconds: ({ steps }) => steps.at(-1).active_ms / 1000,
};

/** Share of prompts whose drawn answer scores higher after than before; ties count half. */
export function winShare(before, after) {
  const scoresOf = (samples) =>
    new Map(
      samples.filter(({ mode }) => mode === "seeded").map((sample) => [sample.prompt, sample.judgeScore]),
    );
  const [old, now] = [before, after].map(scoresOf);
  const wins = [...now].map(([prompt, score]) => (Math.sign(score - old.get(prompt)) + 1) / 2);
  return mean(wins);
}

/** The starting model and the best of its first n answers, by n; means over the seeds of `runs`. */
export function bestOfRows(runs) {
  const records = finished(runs);
  const counts = (records[0] === undefined ? [] : first(records[0]).bestOf).map(({ n }) => n);
  return counts.map((n) => {
    const found = records.map((record) => first(record).bestOf.find((one) => one.n === n));
    return {
      n,
      proxy: tInterval(found.map((one) => needed(one?.proxy, `best of ${n}`))),
      heldout: tInterval(found.map((one) => needed(one?.heldout, `best of ${n}`))),
    };
  });
}
