/** Held-out evaluations of a run in rounds as lines of charts. */
import type { MeanScore, OnlineEvaluation } from "../../../worker/protocol.ts";
import type { ChartGuide, ChartSeries } from "../../charts/chartTypes.ts";
import { formatShare, formatValue } from "../../format.ts";

/** What stands on the horizontal axis. */
export type EvaluationAxis = "seconds" | "rounds";

/** The judges' mean scores with their intervals; only judges that scored are there. */
export function judgeSeries(evaluations: readonly OnlineEvaluation[], axis: EvaluationAxis): ChartSeries[] {
  const lines = [
    { key: "heldout", name: "judge/heldout", label: "held-out", color: "chosen", dash: "solid" },
    { key: "proxy", name: "judge/score", label: "proxy", color: "rejected", dash: "dashed" },
  ] as const;
  return lines.flatMap(({ key, ...line }) => {
    const scored = evaluations.flatMap((evaluation) => {
      const score: MeanScore | null = evaluation[key];
      return score === null ? [] : [{ x: evaluation[axis], ...score }];
    });
    if (scored.length === 0) return [];
    return [
      {
        ...line,
        points: [],
        evalPoints: scored.map(({ x, mean }) => ({ x, y: mean })),
        intervals: scored.flatMap(({ x, low, high }) =>
          low === null || high === null ? [] : [{ x, low, high }],
        ),
      },
    ];
  });
}

/** The win rate against the starting model with its interval. */
export function winRateSeries(evaluations: readonly OnlineEvaluation[]): ChartSeries[] {
  const told = evaluations.flatMap(({ seconds, winRate }) =>
    winRate === null ? [] : [{ x: seconds, ...winRate }],
  );
  return [
    {
      name: "online/win_rate",
      label: "win rate",
      color: "ink",
      points: [],
      evalPoints: told.map(({ x, share }) => ({ x, y: share })),
      intervals: told.map(({ x, low, high }) => ({ x, low, high })),
    },
  ];
}

/** A metric of the samples by round. */
export function sampleSeries(
  evaluations: readonly OnlineEvaluation[],
  { name, label, of = (value) => value }: { name: string; label: string; of?: (value: number) => number },
): ChartSeries[] {
  const evalPoints = evaluations.flatMap(({ rounds, metrics }) => {
    const value = metrics[name];
    return value === undefined ? [] : [{ x: rounds, y: of(value) }];
  });
  return [{ name, label, color: "ink", points: [], evalPoints }];
}

/** Best-of-n of the starting model as horizontal lines, by the held-out judge where there is one. */
export function bestOfGuides(evaluations: readonly OnlineEvaluation[]): ChartGuide[] {
  return bestOf(evaluations).map(({ n, proxy, heldout }) => ({
    y: heldout ?? proxy,
    label: n === 1 ? "start, one answer" : `start, best of ${n}`,
  }));
}

function bestOf(evaluations: readonly OnlineEvaluation[]): OnlineEvaluation["bestOf"] {
  return evaluations.find(({ rounds }) => rounds === 0)?.bestOf ?? [];
}

/** What the judges say of the newest answers, against the start and its best of n, in a sentence. */
export function judgeSentence(evaluations: readonly OnlineEvaluation[]): string {
  const newest = evaluations.at(-1);
  if (newest === undefined) return "Judge scores: nothing measured yet.";
  const parts = [
    ["held-out judge", newest.heldout],
    ["proxy", newest.proxy],
  ] as const;
  const scores = parts.flatMap(([name, score]) =>
    score === null ? [] : [`${name} ${formatValue(score.mean)}${intervalText(score)}`],
  );
  const when = newest.rounds === 0 ? "Before the first round" : `After round ${newest.rounds}`;
  const best = bestOf(evaluations).at(-1);
  const baseline =
    best === undefined
      ? ""
      : ` The best of ${best.n} answers of the starting model has ${formatValue(best.heldout ?? best.proxy)}.`;
  return `${when}: ${scores.length === 0 ? "no score" : scores.join(", ")}.${baseline}`;
}

function intervalText({ low, high }: MeanScore): string {
  return low === null || high === null ? "" : ` (${formatValue(low)} to ${formatValue(high)})`;
}

/** The newest win rate in a sentence. */
export function winSentence(evaluations: readonly OnlineEvaluation[]): string {
  const newest = evaluations.findLast(({ winRate }) => winRate !== null);
  const rate = newest?.winRate;
  if (!newest || !rate) return "Win rate: it comes after the first round.";
  const { share, low, high, prompts, ties } = rate;
  const sure =
    low > 0.5 ? "above a coin toss" : high < 0.5 ? "below a coin toss" : "not told from a coin toss";
  return (
    `After round ${newest.rounds} the model wins ${formatShare(share)} of ${prompts} prompts against the one ` +
    `it started from (${formatShare(low)} to ${formatShare(high)}; ${ties} ties count half): ${sure}.`
  );
}
