import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { read, tensor, tidy, zeros } from "../../tensor/run.ts";
import { openTestDevice, randomValues } from "../../tensor/testing.ts";
import { halvings, ONE } from "./halvings.ts";
import { placeColumns } from "./placeColumns.ts";
import { sample } from "./sample.ts";
import { seenBits, type SampleAttributes } from "./sampleAttributes.ts";
import { distributions, DRAWS, logits, oneUnitMore, plain } from "./sampleCases.testing.ts";

/** Chi-square with 9 degrees of freedom exceeds this once in a million fair experiments. */
const LARGEST_CHI_SQUARE = 45.1;

beforeEach(async () => {
  await openTestDevice("cpu");
});

interface Row {
  readonly logits: readonly number[];
  readonly stream?: number;
  readonly seen?: readonly number[];
}

/** Chosen ids, and afterwards the words of seen tokens. */
async function choose(rows: readonly Row[], changes: Partial<SampleAttributes>) {
  const width = rows[0]?.logits.length ?? 0;
  const words = Math.ceil(width / 32);
  const marked = seenBits(
    rows.map(({ seen = [] }) => seen),
    width,
  );
  const { chosen, seen } = tidy(() => {
    const streams = Int32Array.from(rows, ({ stream = 0 }) => stream);
    const tensors = {
      streams: tensor(streams, [rows.length]),
      chosen: tensor(new Int32Array(rows.length), [rows.length]),
      seen: tensor(marked, [rows.length, words]),
    };
    const values = tensor(Float32Array.from(rows.flatMap((row) => row.logits)), [rows.length, width]);
    sample(values, tensors, { ...plain, ...changes });
    return { chosen: tensors.chosen, seen: tensors.seen };
  });
  return { chosen: [...(await read(chosen))], seen: await read(seen) };
}

/** As many draws of the same logits, each from a stream of its own. */
async function draws(values: readonly number[], changes: Partial<SampleAttributes>, count = DRAWS) {
  const rows = Array.from({ length: count }, (_, stream) => ({ logits: values, stream }));
  return (await choose(rows, changes)).chosen;
}

function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  return shares.reduce(
    (sum, share, id) => sum + (share === 0 ? 0 : ((counts[id] ?? 0) - DRAWS * share) ** 2 / (DRAWS * share)),
    0,
  );
}

function sharesOf(ids: readonly number[], temperature: number): number[] {
  const weights = logits.map((logit, id) => (ids.includes(id) ? Math.exp(logit / temperature) : 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

describe("halvings", () => {
  it("are powers of one half to the last bits", () => {
    for (let step = 0; step < 40_000; step++) {
      const exponent = step / 1200;
      expect(Math.abs(halvings(exponent) - ONE * 2 ** -exponent)).toBeLessThan(200);
      // Exponents have 24 bits after the point, weights 31.
      const rounded = Math.floor(exponent * 2 ** 24) / 2 ** 24;
      expect(Math.abs(halvings(exponent) - ONE * 2 ** -rounded)).toBeLessThanOrEqual(5);
    }
    expect(halvings(0)).toBe(ONE);
    expect(halvings(1)).toBe(ONE / 2);
    expect(halvings(NaN)).toBe(0);
  });
});

describe("sample", () => {
  it.each(distributions)("draws $change from the softmax of the tokens $ids", async ({ change, ids }) => {
    const drawn = await draws(logits, change);
    expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual(ids);
    const counts = logits.map((_, id) => drawn.filter((each) => each === id).length);
    const temperature = change.temperature ?? plain.temperature;
    expect(chiSquare(counts, sharesOf(ids, temperature))).toBeLessThan(LARGEST_CHI_SQUARE);
  });

  it.each([0.7, 1, 2])("draws at temperature %s what a fifth more would not give", async (temperature) => {
    const drawn = await draws(logits, { temperature });
    const counts = logits.map((_, id) => drawn.filter((each) => each === id).length);
    const shares = sharesOf([...logits.keys()], 1.2 * temperature);
    expect(chiSquare(counts, shares)).toBeGreaterThan(LARGEST_CHI_SQUARE);
  });

  it("takes the lowest of the likeliest ids at temperature 0", async () => {
    const rows = [
      [1, 5, 5, 5, 2],
      [-3, -4, -3, -9, -Infinity],
      [0, -0, 0, 1e-30, 0],
      [NaN, -Infinity, -2, -2, NaN],
    ].map((values) => ({ logits: values }));
    expect((await choose(rows, { temperature: 0 })).chosen).toEqual([1, 0, 3, 2]);
  });

  it("comes to the likeliest token as the temperature falls", async () => {
    for (const temperature of [1e-6, 1e-12, 1e-300])
      expect(new Set(await draws(logits, { temperature }, 100))).toEqual(new Set([3]));
  });

  it("keeps exactly k, and of equal ones the lowest ids, wherever they lie", async () => {
    const values = Array.from({ length: 700 }, (_, id) => (id % 100 === 37 ? 2 : id === 650 ? 2.5 : -1));
    const kept = async (changes: Partial<SampleAttributes>) =>
      [...new Set(await draws(values, changes, 400))].toSorted((a, b) => a - b);
    expect(await kept({ topK: 1 })).toEqual([650]);
    expect(await kept({ topK: 4 })).toEqual([37, 137, 237, 650]);
    expect(await kept({ topK: 8 })).toEqual([37, 137, 237, 337, 437, 537, 637, 650]);
    // exp(-0.5) = 0.607 each beside 1: 0.40 of the four, then 0.65 with one more and 0.82 with two more.
    expect(await kept({ topK: 4, topP: 0.7 })).toEqual([37, 137, 650]);
    expect(await kept({ topK: 4, topP: 0.5 })).toEqual([37, 650]);
    expect(await kept({ topK: 4, topP: 1e-9 })).toEqual([650]);
  });

  it("needs a share to the last unit for top-p, and not one more", async () => {
    // Four equal tokens have a quarter each, exactly.
    const kept = async (topP: number) => new Set(await draws([1, 1, 1, 1], { topP }, 300)).size;
    expect(await kept(0.25)).toBe(1);
    expect(await kept(0.25 + 2 ** -31)).toBe(2);
    expect(await kept(0.75)).toBe(3);
    expect(await kept(0.75 + 2 ** -31)).toBe(4);
    const { topP, equal } = oneUnitMore;
    expect(new Set(await draws(equal, { topP }, 300)).size).toBe(3);
  });

  it("divides positive logits of seen tokens and multiplies negative ones, and sees what it chose", async () => {
    const rows = [
      { logits: [4, 3, -1], seen: [] },
      { logits: [4, 3, -1], seen: [0] },
      { logits: [-4, -3, -5], seen: [1] },
      { logits: [-4, -3, -5], seen: [1, 0] },
    ];
    const changes = { temperature: 0, repetitionPenalty: 1.5 };
    const first = await choose(rows, changes);
    // 4 / 1.5 = 2.67; 1.5 · -3 = -4.5; 1.5 · -4 = -6.
    expect(first.chosen).toEqual([0, 1, 0, 1]);
    expect([...first.seen]).toEqual([0b001, 0b011, 0b011, 0b011]);
    const wide = Array.from({ length: 70 }, (_, id) => id / 100);
    const marked = await choose([{ logits: wide, seen: [63] }], { temperature: 0, repetitionPenalty: 2 });
    expect(marked.chosen).toEqual([69]);
    expect([...marked.seen]).toEqual([0, 1 << 31, 1 << 5]);
    // The distribution of penalised logits is that of logits which are so from the beginning.
    const plainDraws = await draws([2, -3, 1], {}, 200);
    const penalised = Array.from({ length: 200 }, (_, stream) => ({
      logits: [4, -1.5, 1],
      seen: [0, 1],
      stream,
    }));
    expect((await choose(penalised, { repetitionPenalty: 2 })).chosen).toEqual(plainDraws);
  });

  it("bounds logits as tanh does", async () => {
    const softCap = 3;
    const strong = logits.map((logit) => 2 * logit);
    const soft = strong.map((logit) => softCap * Math.tanh(logit / softCap));
    expect(await draws(strong, { softCap }, 2000)).toEqual(await draws(soft, {}, 2000));
    expect(await draws(strong, { softCap }, 2000)).not.toEqual(await draws(strong, {}, 2000));
    // The penalty is that of the bounded logit: 3 tanh(10) / 1.5 = 2 is below 3 tanh(1) = 2.28.
    const seen = { logits: [30, 3], seen: [0] };
    const penalty = { temperature: 0, repetitionPenalty: 1.5 };
    expect((await choose([seen], { ...penalty, softCap })).chosen).toEqual([1]);
    expect((await choose([seen], penalty)).chosen).toEqual([0]);
  });

  it("draws the same for a row whatever the others are, and anew for every stream, step and seed", async () => {
    const values = [...randomValues(3, [200])];
    const drawn = await draws(values, {}, 50);
    const alone = await choose([{ logits: values, stream: 7 }], {});
    expect(alone.chosen).toEqual([drawn[7]]);
    const others = [plain, { ...plain, step: 6 }, { ...plain, seed: 12 }, { ...plain, seed: -12 }];
    const sets = await Promise.all(others.map(async (changes) => String(await draws(values, changes, 50))));
    expect(new Set(sets).size).toBe(others.length);
    expect(new Set(drawn).size).toBeGreaterThan(30);
  });

  it("knows no offset: equal logits up to a constant draw the same", async () => {
    const small = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(
        small,
        fc.integer({ min: -1000, max: 1000 }),
        fc.nat(),
        async (values, offset, seed) => {
          const moved = values.map((value) => value + offset);
          const changes = { seed, temperature: 0.5, topP: 0.9 };
          expect(await draws(moved, changes, 2)).toEqual(await draws(values, changes, 2));
        },
      ),
    );
  });

  it.each([
    [{ temperature: -1 }, "temperature is -1"],
    [{ temperature: NaN }, "temperature is NaN"],
    [{ topK: 1.5 }, "Top-k is 1.5"],
    [{ topP: 0 }, "Top-p is 0"],
    [{ topP: 1.01 }, "Top-p is 1.01"],
    [{ repetitionPenalty: 0 }, "penalty is 0"],
  ])("refuses %o", async (changes, message) => {
    await expect(draws(logits, changes, 1)).rejects.toThrow(message);
  });

  it("has its logits put together from parts of the vocabulary", async () => {
    const rows = zeros([2, 5]);
    placeColumns(rows, tensor([1, 2, 3, 4], [2, 2]), 0);
    placeColumns(rows, tensor([5, 6, 7, 8, 9, 10], [2, 3]), 2);
    expect([...(await read(rows))]).toEqual([1, 2, 5, 6, 7, 3, 4, 8, 9, 10]);
    expect(() => {
      placeColumns(rows, rows, 1);
    }).toThrow("[2, 5] from column 1 on does not fit [2, 5]");
  });

  it("refuses tables that do not fit", () => {
    const integers = (...shape: number[]) => tensor(new Int32Array(shape.reduce((a, b) => a * b)), shape);
    tidy(() => {
      const values = tensor(new Float32Array(80), [2, 40]);
      const tensors = { streams: integers(2), chosen: integers(2), seen: integers(2, 2) };
      const penalised = { ...plain, repetitionPenalty: 2 };
      sample(values, tensors, penalised);
      expect(() => sample(values, { ...tensors, streams: integers(3) }, plain)).toThrow(
        "got streams [3], not [2]",
      );
      expect(() => sample(values, { ...tensors, seen: integers(2, 1) }, penalised)).toThrow(
        "got seen [2, 1], not [2, 2]",
      );
      expect(() => sample(values, { ...tensors, seen: null }, penalised)).toThrow("needs seen");
    });
  });
});
