import { expect, it } from "vitest";
import { testOnlineEvaluations } from "../../../state/testOnlineAnswers.ts";
import { judgesPart } from "./overOptimisation.ts";

/** Evaluations with these means and an interval of ±0.1. */
const told = (proxies: readonly number[], heldouts: readonly (number | null)[]) =>
  proxies.map((proxy, rounds) => {
    const heldout = heldouts[rounds] ?? null;
    return {
      ...testOnlineEvaluations[0]!,
      rounds,
      proxy: { mean: proxy, low: proxy - 0.1, high: proxy + 0.1 },
      heldout: heldout === null ? null : { mean: heldout, low: heldout - 0.1, high: heldout + 0.1 },
    };
  });

it("sees the proxy rise while the held-out judge falls by more than its interval, from its best round on", () => {
  const found = judgesPart(told([0, 0.3, 0.5, 0.6], [0, 0.4, 0.35, 0.25]))!;
  expect(found).toMatchObject({ from: 1, to: 3 });
  expect(found.proxyRise).toBeCloseTo(0.3, 12);
  expect(found.heldoutFall).toBeCloseTo(0.15, 12);
  expect(found.interval).toBeCloseTo(0.1, 12);
});

it("does not take a fall inside the interval, a proxy that falls as well, or a rise of both for parting", () => {
  expect(judgesPart(told([0, 0.3, 0.5], [0, 0.4, 0.31]))).toBeNull();
  expect(judgesPart(told([0, 0.3, 0.2], [0, 0.4, 0.1]))).toBeNull();
  expect(judgesPart(testOnlineEvaluations)).toBeNull();
});

it("says nothing before a second evaluation or without a judge that is kept aside", () => {
  expect(judgesPart([])).toBeNull();
  expect(judgesPart(told([0], [0.4]))).toBeNull();
  expect(judgesPart(told([0, 1], [null, null]))).toBeNull();
  expect(judgesPart(told([0, 1], [0.4, null]))).toBeNull();
});
