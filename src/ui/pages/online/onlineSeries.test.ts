import { expect, it } from "vitest";
import { testOnlineEvaluations as evaluations } from "../../../state/testOnlineAnswers.ts";
import {
  bestOfGuides,
  judgeSentence,
  judgeSeries,
  sampleSeries,
  winRateSeries,
  winSentence,
} from "./onlineSeries.ts";

it("draws both judges with their intervals over seconds or rounds", () => {
  const [heldout, proxy] = judgeSeries(evaluations, "seconds");
  expect(heldout).toMatchObject({ name: "judge/heldout", dash: "solid" });
  expect(heldout?.evalPoints).toEqual([
    { x: 0, y: 0 },
    { x: 5.1, y: 0.1 },
    { x: 8.6, y: 0.2 },
  ]);
  expect(proxy?.intervals?.[1]).toMatchObject({ x: 5.1, low: 0.1, high: expect.closeTo(0.3) as number });
  expect(judgeSeries(evaluations, "rounds")[0]?.evalPoints?.map(({ x }) => x)).toEqual([0, 1, 2]);
});

it("leaves out a judge that never scored", () => {
  const without = evaluations.map((evaluation) => ({ ...evaluation, heldout: null }));
  expect(judgeSeries(without, "rounds").map(({ label }) => label)).toEqual(["proxy"]);
});

it("draws best of n by the held-out judge, or by the proxy where nobody is kept aside", () => {
  expect(bestOfGuides(evaluations).map(({ y, label }) => [label, y])).toEqual([
    ["start, one answer", 0],
    ["start, best of 2", 0.1],
    ["start, best of 4", 0.2],
  ]);
  const bestOf = [{ n: 4, proxy: 0.4, heldout: null }];
  expect(bestOfGuides([{ ...evaluations[0]!, bestOf }])[0]?.y).toBe(0.4);
});

it("says the newest scores with their intervals, and the win rate with what it proves", () => {
  expect(judgeSentence(evaluations)).toBe(
    "After round 2: held-out judge 0.2 (0.1 to 0.3), proxy 0.4 (0.3 to 0.5). " +
      "The best of 4 answers of the starting model has 0.2.",
  );
  expect(judgeSentence([])).toContain("nothing measured yet");
  // The interval from 0.45 to 0.75 holds a half.
  expect(winSentence(evaluations)).toContain("wins 70% of 32 prompts");
  expect(winSentence(evaluations)).toContain("not told from a coin toss");
  const sure = { share: 0.7, low: 0.55, high: 0.8, prompts: 32, ties: 4 };
  expect(winSentence([{ ...evaluations[1]!, winRate: sure }])).toContain(": above a coin toss.");
  expect(winSentence(evaluations.slice(0, 1))).toContain("after the first round");
});

it("reads metrics of the samples, and repetition as what distinct-2 leaves", () => {
  const of = (value: number) => 1 - value;
  const [line] = sampleSeries(evaluations, { name: "samples/distinct_2", label: "r", of });
  expect(line?.evalPoints?.map(({ y }) => Number(y.toFixed(12)))).toEqual([0.2, 0.2, 0.2]);
  expect(sampleSeries(evaluations, { name: "samples/other", label: "o" })[0]?.evalPoints).toEqual([]);
  expect(winRateSeries(evaluations)[0]?.intervals).toHaveLength(2);
});

it("shows the mean of a single prompt without an interval", () => {
  const single = { mean: 0.5, low: null, high: null };
  const one = [{ ...evaluations[0]!, heldout: single, proxy: null }];
  expect(judgeSeries(one, "rounds")[0]).toMatchObject({ evalPoints: [{ x: 0, y: 0.5 }], intervals: [] });
  expect(judgeSentence(one)).toContain("held-out judge 0.5.");
});
