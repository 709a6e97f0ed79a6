/** What holds for every step: order, seeds, exact counts, held-out pairs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applySteps } from "./applySteps.ts";
import type { DataStep } from "./dataStep.ts";
import type { RowSet, SetRow } from "./setRow.ts";
import { numberedRows, numberedSet, numberJudge, testContext } from "./steps.testing.ts";

const other = { label: "Others", rows: numberedRows(60, "others.jsonl"), judge: null };
const context = testContext({
  readSet: () => Promise.resolve(other),
  // Directions spread over a half circle, so that only close ones are alike.
  embed: (texts) =>
    Promise.resolve(
      texts.map((text) => {
        const angle = Math.PI * ((Number(/\d+/.exec(text)?.[0]) % 16) / 16);
        return Float32Array.of(Math.cos(angle), Math.sin(angle));
      }),
    ),
});

const seed = fc.integer({ min: 0, max: 1000 });
const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const anyStep: fc.Arbitrary<DataStep> = fc.oneof(
  fc.record({
    kind: fc.constant("subset" as const),
    pairs: fc.integer({ min: 1, max: 4 }),
    by: fc.constantFrom(
      "random" as const,
      "largestGap" as const,
      "smallestGap" as const,
      "shortest" as const,
    ),
    seed,
  }),
  fc.record({
    kind: fc.constant("select" as const),
    pairs: fc.integer({ min: 1, max: 5 }),
    similarity: share,
  }),
  fc.constant({ kind: "relabel" as const }),
  fc.record({
    kind: fc.constant("mix" as const),
    data: fc.constant("others"),
    objective: fc.constant(""),
    share: share.map((found) => found / 2),
    seed,
  }),
  fc.record({ kind: fc.constant("flip" as const), share, seed }),
  fc.constant({ kind: "drop" as const, check: "duplicate" as const }),
);

/** A sequence of steps on a set of 20 pairs, or the sentence that refuses one of them. */
async function outcome(steps: readonly DataStep[], set: RowSet = numberedSet(20)) {
  try {
    return await applySteps(set, steps, context);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const plain = ({ prompt, chosen, rejected }: SetRow) => ({ prompt, chosen, rejected });

describe("applySteps", () => {
  it("makes the same rows of the same steps, with places of their own, and leaves held-out pairs alone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 5 }), async (steps) => {
        const first = await outcome(steps);
        expect(await outcome(steps)).toEqual(first);
        // What cannot be done is refused with its number.
        if (typeof first === "string")
          return /^Step \d \((subset|select|relabel|mix|flip|drop)\)/.test(first);
        const { set, done } = first;
        expect(set.heldout).toEqual(numberedSet(20).heldout);
        const places = [...set.train, ...set.heldout].map(({ place }) => place);
        expect(new Set(places).size).toBe(places.length);
        expect(Math.max(...places)).toBeLessThan(set.nextPlace);
        expect(done.map(({ kind }) => kind)).toEqual(steps.map(({ kind }) => kind));
        expect(done.at(-1)?.trainPairs ?? 20).toBe(set.train.length);
        return true;
      }),
      { numRuns: 60 },
    );
  });

  it("keeps the order of steps: what is drawn before a swap is not what is drawn after it", async () => {
    const flip: DataStep = { kind: "flip", share: 0.5, seed: 1 };
    const subset: DataStep = { kind: "subset", pairs: 5, by: "largestGap", seed: 1 };
    const flippedFirst = await applySteps(numberedSet(20), [flip, subset], context);
    const subsetFirst = await applySteps(numberedSet(20), [subset, flip], context);
    // Of swapped pairs the gap is negative, so none of them is among the largest.
    expect(flippedFirst.set.train.filter(({ madeBy }) => madeBy !== "")).toEqual([]);
    // Half of five, rounded.
    expect(subsetFirst.set.train.filter(({ madeBy }) => madeBy === "answers swapped")).toHaveLength(3);
  });

  it("says which step cannot be done, and refuses to leave nothing", async () => {
    const many: DataStep = { kind: "subset", pairs: 21, by: "random", seed: 0 };
    await expect(
      applySteps(numberedSet(20), [{ kind: "flip", share: 0, seed: 0 }, many], context),
    ).rejects.toThrow(
      "Step 2 (subset): 21 pairs are asked for and there are 20 training pairs here: ask for at most 20.",
    );
    const equal = numberedSet(1, { ...numberJudge, score: () => 0.5 });
    await expect(applySteps(equal, [{ kind: "drop", check: "equalScores" }], context)).rejects.toThrow(
      "leaves no training pair",
    );
  });

  it("does nothing without steps", async () => {
    const set = numberedSet(4);
    expect(await applySteps(set, [], context)).toEqual({ set, done: [] });
    expect(set.train.map(plain)).toEqual(numberedRows(4).map(({ source: _source, ...row }) => row));
  });
});
