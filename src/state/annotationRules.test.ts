import fc from "fast-check";
import { expect, it } from "vitest";
import {
  coin,
  decide,
  isRound,
  jsonLines,
  nextItem,
  pairsOf,
  rewrite,
  roundOf,
  undo,
} from "./annotationRules.ts";
import type { Verdict } from "./annotationRules.ts";

const sampled = Array.from({ length: 6 }, (_, place) => ({
  prompt: `p${place}`,
  answers: [`first ${place}`, `second ${place}`],
}));

it("shows both answers, on sides that the seed shuffles", () => {
  const { items } = roundOf(sampled, 7);
  for (const [place, { prompt, a, b }] of items.entries()) {
    expect(prompt).toBe(`p${place}`);
    expect(new Set([a, b])).toEqual(new Set(sampled[place]?.answers));
  }
  expect(roundOf(sampled, 7)).toEqual(roundOf(sampled, 7));
  const sides = (seed: number) => roundOf(sampled, seed).items.map(({ a }) => a.startsWith("first"));
  expect(new Set([1, 2, 3, 4].map((seed) => sides(seed).join(" "))).size).toBeGreaterThan(1);
});

it("throws a fair coin: over 10,000 places of any seed, no more than 4 standard deviations from half", () => {
  for (const seed of [0, 1, 7, 2 ** 31 - 1]) {
    const heads = Array.from({ length: 10_000 }, (_, place) => coin(seed, place)).filter(Boolean).length;
    // A standard deviation of 10,000 fair throws is 50.
    expect(Math.abs(heads - 5000)).toBeLessThan(200);
  }
});

it("makes a pair of every choice, and none of a tie or of two bad answers", () => {
  let round = roundOf(sampled, 7);
  for (const verdict of ["a", "b", "tie", "bad"] as const) round = decide(round, verdict);
  const [first, second] = round.items;
  expect(pairsOf(round)).toEqual([
    { prompt: "p0", chosen: first?.a, rejected: first?.b },
    { prompt: "p1", chosen: second?.b, rejected: second?.a },
  ]);
  expect(nextItem(round)).toBe(4);
  expect(
    jsonLines(pairsOf(round))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(pairsOf(round));
});

it("takes any number of verdicts back, one after the other", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom<Verdict>("a", "b", "tie", "bad"), { maxLength: 6 }), (verdicts) => {
      const start = roundOf(sampled, 7);
      const states = [start];
      for (const verdict of verdicts) states.push(decide(states.at(-1)!, verdict));
      let round = states.pop()!;
      while (states.length > 0) {
        round = undo(round);
        expect(round).toEqual(states.pop());
      }
      expect(undo(round)).toEqual(start);
    }),
  );
});

it("leaves out prompts that were answered twice the same, and says how many", () => {
  const round = roundOf([...sampled, { prompt: "p", answers: [" Yes.", "Yes."] }], 7);
  expect(round).toMatchObject({ same: 1, items: { length: 6 } });
});

it("puts a person's own text into the pair", () => {
  const round = decide(rewrite(roundOf(sampled, 7), "a", "mine"), "a");
  expect(pairsOf(round)[0]?.chosen).toBe("mine");
});

it("knows a round that was kept from anything else", () => {
  const round = decide(roundOf(sampled, 7), "tie");
  expect(isRound(JSON.parse(JSON.stringify(round)))).toBe(true);
  for (const other of [
    null,
    3,
    {},
    { ...round, verdicts: [] },
    { ...round, order: [9] },
    { ...round, items: [1] },
  ])
    expect(isRound(other)).toBe(false);
});
