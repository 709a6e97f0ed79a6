import { describe, expect, it } from "vitest";
import { wilsonInterval } from "../data/wilsonInterval.ts";
import { measureQuality, qualityOf } from "./quality.ts";

const about = { data: "made up", trainPairs: 12 };
/** Rewards whose gap states the probability `stated` for the better answer. */
const pair = (stated: number, isRight: boolean) => {
  const gap = Math.log(stated / (1 - stated));
  return isRight ? { chosen: 1 + gap, rejected: 1 } : { chosen: -2, rejected: gap - 2 };
};

describe("Wilson's interval", () => {
  it("is that of the textbook for 8 of 10, and stays within 0 and 1", () => {
    // p = 0.8, z² = 3.8415: middle (0.8 + 0.19207) / 1.38415, reach 1.96 √(0.016 + 0.0096036) / 1.38415.
    const [low, high] = wilsonInterval(0.8, 10);
    expect(low).toBeCloseTo(0.4901625, 6);
    expect(high).toBeCloseTo(0.9433178, 6);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
    // 1 / (1 + z²/n) = 10 / 13.8415.
    expect(wilsonInterval(1, 10)[0]).toBeCloseTo(0.7224672, 6);
    expect(wilsonInterval(1, 10)[1]).toBeCloseTo(1, 12);
  });
});

describe("the quality of a reward model", () => {
  it("counts pairs in order, and compares what ranges state with what is right", () => {
    const rewards = [
      pair(0.55, true),
      pair(0.55, false),
      pair(0.92, true),
      pair(0.95, true),
      pair(0.97, false),
    ];
    const quality = qualityOf(rewards, about);
    expect(quality).toMatchObject({ ...about, heldoutPairs: 5, accuracy: 0.6 });
    expect(quality.low).toBeCloseTo(wilsonInterval(0.6, 5)[0], 12);
    const [first, last, ...others] = quality.calibration;
    expect(others).toEqual([]);
    expect(first).toEqual({ stated: expect.closeTo(0.55, 12), observed: 0.5, pairs: 2 });
    expect(last).toEqual({
      stated: expect.closeTo(0.94 + 0.02 / 3, 12),
      observed: expect.closeTo(2 / 3, 12),
      pairs: 3,
    });
    // (2 · |0.55 − 0.5| + |2.84 − 2|) / 5 = (0.1 + 0.84) / 5
    expect(quality.calibrationError).toBeCloseTo(0.188, 12);
  });

  it("holds equal rewards for a miss that states one half", () => {
    const { accuracy, calibration, calibrationError } = qualityOf([{ chosen: 3, rejected: 3 }], about);
    expect(accuracy).toBe(0);
    expect(calibration).toEqual([{ stated: 0.5, observed: 0, pairs: 1 }]);
    expect(calibrationError).toBe(0.5);
  });

  it("puts a certainty of 1 into the last range", () => {
    const { calibration } = qualityOf([{ chosen: 900, rejected: 0 }], about);
    expect(calibration).toEqual([{ stated: 1, observed: 1, pairs: 1 }]);
  });

  it("is unknown without pairs and without numbers", () => {
    expect(() => qualityOf([], about)).toThrow("There is no held-out pair with two answers");
    expect(() => qualityOf([{ chosen: NaN, rejected: 1 }], about)).toThrow(
      "gave NaN and 1 for a held-out pair",
    );
  });

  it("is measured on the pairs that have two answers, each side with its own prompt", async () => {
    const ids = (...tokens: number[]) => Int32Array.from(tokens);
    const seen: string[] = [];
    /** The reward is the last token. */
    const score = (texts: readonly { prompt: Int32Array; answer: Int32Array }[]) => {
      seen.push(...texts.map(({ prompt, answer }) => `${prompt.join(" ")} | ${answer.join(" ")}`));
      return Promise.resolve(Float64Array.from(texts, ({ answer }) => answer.at(-1)!));
    };
    const pairs = [
      { prompt: ids(1), chosen: ids(5, 9), rejected: ids(8), row: 0 },
      { prompt: ids(1), chosen: ids(5), rejected: ids(), row: 1 },
      { prompt: ids(2), rejectedPrompt: ids(3), chosen: ids(4), rejected: ids(6), row: 2 },
    ];
    const quality = await measureQuality({ score }, pairs, about);
    expect(seen).toEqual(["1 | 5 9", "1 | 8", "2 | 4", "3 | 6"]);
    expect(quality).toMatchObject({ heldoutPairs: 2, accuracy: 0.5 });
  });
});
