import { describe, expect, it } from "vitest";
import { combinedScores, pairAnswers } from "./pairing.ts";

const answer = (score: number | null, text = String(score), ids = [1]) => ({ score, text, ids });

describe("combinedScores", () => {
  it("adds weight times score, and leaves out what a judge could not score", () => {
    const verdicts = [
      [{ score: 1 }, { score: 0.5 }, { score: 2 }],
      [{ score: -1 }, { reason: "broken" }, null],
    ];
    // 2 · 1 − 3 · (−1) = 5
    expect(combinedScores(verdicts, [2, -3], 3)).toEqual([5, null, null]);
  });

  it("has no score where the sum is beyond all numbers", () => {
    expect(combinedScores([[{ score: 1e308 }]], [100], 1)).toEqual([null]);
  });
});

describe("pairAnswers", () => {
  it("takes the best and the worst, of equal scores the first", () => {
    expect(
      pairAnswers([answer(0.5), answer(1, "a"), answer(1, "b"), answer(-1, "c"), answer(-1, "d")]),
    ).toEqual({
      best: 1,
      worst: 3,
    });
  });

  it("makes no pair of equal scores", () => {
    expect(pairAnswers([answer(1, "a"), answer(1, "b")])).toEqual({ reason: "equalScores" });
  });

  it("makes no pair of equal texts, whatever their scores", () => {
    expect(pairAnswers([answer(1, "a"), answer(1, "a")])).toEqual({ reason: "equalTexts" });
    expect(pairAnswers([answer(1, "a"), answer(0, "a")])).toEqual({ reason: "equalTexts" });
  });

  it("leaves answers without a score out", () => {
    expect(pairAnswers([answer(null, "a"), answer(1, "b"), answer(0, "c")])).toEqual({ best: 1, worst: 2 });
    expect(pairAnswers([answer(null, "a"), answer(1, "b")])).toEqual({ reason: "judgeFailed" });
  });

  it("leaves answers without a token out", () => {
    expect(pairAnswers([answer(5, "", []), answer(1, "b"), answer(0, "c")])).toEqual({ best: 1, worst: 2 });
    expect(pairAnswers([answer(5, "", []), answer(1, "b")])).toEqual({ reason: "emptyAnswers" });
  });
});
