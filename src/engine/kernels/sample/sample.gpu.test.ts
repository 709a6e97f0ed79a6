import { describe, it } from "vitest";
import { parity, randomValues, type TestInput } from "../../tensor/testing.ts";
import { everyChoice } from "../../tensor/variant.ts";
import { placeColumnsOp } from "./placeColumns.ts";
import { sampleOp, type DeviceSampleAttributes } from "./sample.ts";
import {
  distributions,
  DRAWS,
  logits,
  oneUnitMore,
  plain as plainAttributes,
  rowsOf,
} from "./sampleCases.testing.ts";

const plain: DeviceSampleAttributes = { ...plainAttributes, isSoftware: true };

/** Random logits, some of them equal, with streams and a tenth of the tokens seen. */
function inputsOf(
  [rows, vocabulary]: readonly [number, number],
  attributes: DeviceSampleAttributes,
): TestInput[] {
  const words = Math.ceil(vocabulary / 32);
  const values = randomValues(7, [rows, vocabulary], 3).map((value, index) =>
    index % 3 === 0 ? Math.round(2 * value) / 2 : value,
  );
  const seen = Int32Array.from(
    { length: rows * words },
    (_, word) => Math.imul(word + 3, 0x9e3779b9) & 0x10204081,
  );
  const streams = Int32Array.from({ length: rows }, (_, row) => 3 * row - 1);
  return [
    { values, shape: [rows, vocabulary] },
    ...(attributes.temperature === 0 ? [] : [{ values: streams, shape: [rows] }]),
    { values: new Int32Array(rows), shape: [rows] },
    ...(attributes.repetitionPenalty === 1 ? [] : [{ values: seen, shape: [rows, words] }]),
  ];
}

/** Integers must be equal: the chosen ids, and the words of seen tokens. */
function check(name: string, shape: readonly [number, number], changes: Partial<DeviceSampleAttributes>) {
  const attrs = { ...plain, ...changes };
  return parity(sampleOp, { name, attrs, inputs: inputsOf(shape, attrs) });
}

describe("sample on WebGPU", () => {
  it.each(distributions)("draws the oracle's ten thousand ids for $change", async ({ change }) => {
    await parity(sampleOp, {
      name: "draws",
      attrs: { ...plain, ...change },
      inputs: rowsOf(logits, DRAWS),
    });
  });

  it("draws the same with large workgroups", async () => {
    for (const { change } of distributions) {
      const attrs = { ...plain, ...change, isSoftware: false };
      await parity(sampleOp, { name: "draws", attrs, inputs: rowsOf(logits, 100) });
    }
  });

  // Without chance there are no survivors to find; with it, every pair of choices is here.
  const choices: Partial<DeviceSampleAttributes>[] = [
    ...everyChoice({ temperature: [0], repetitionPenalty: [1, 1.3], softCap: [0, 5] }),
    { topK: 40, topP: 0.9, repetitionPenalty: 1.3, softCap: 5, temperature: 0.8 },
    { topK: 40, repetitionPenalty: 1.3 },
    { topK: 40, softCap: 5 },
    { topP: 0.9, repetitionPenalty: 1.3 },
    { topP: 0.9, softCap: 5 },
  ];
  it.each(choices)("chooses the oracle's ids of 1003 for %o", async (changes) => {
    await check("1003", [24, 1003], changes);
  });

  it("chooses among 50,000 tokens", async () => {
    for (const changes of [
      { temperature: 0 },
      { temperature: 1 },
      { topK: 1000 },
      { topP: 0.95 },
      { topK: 20_000, topP: 0.999, repetitionPenalty: 1.1, temperature: 1.4, softCap: 30 },
    ])
      await check("50,003", [3, 50_003], changes);
  });

  it("keeps the lowest of thousands of equal tokens", async () => {
    const shape = [40, 9000];
    const values = new Float32Array(40 * 9000).fill(-2.5);
    const [, ...others] = rowsOf([0], 40);
    for (const changes of [{ topK: 4100 }, { topP: 0.3 }, { topK: 4100, topP: 0.5 }])
      await parity(sampleOp, {
        name: "equal",
        attrs: { ...plain, ...changes },
        inputs: [{ values, shape }, ...others],
      });
  });

  it("needs a share to the last unit", async () => {
    const { topP, equal } = oneUnitMore;
    const attrs = { ...plain, topP };
    await parity(sampleOp, { name: "unit", attrs, inputs: rowsOf(equal, 100) });
  });

  it("lowers negative logits of seen tokens", async () => {
    for (const temperature of [0, 1]) {
      const attrs = { ...plain, temperature, repetitionPenalty: 1.3 };
      const [logitsInput, ...others] = inputsOf([40, 300], attrs);
      const values = Float32Array.from(logitsInput!.values, (value) => value - 20);
      await parity(sampleOp, {
        name: "negative",
        attrs,
        inputs: [{ values, shape: [40, 300] }, ...others],
      });
    }
  });

  it("passes over equal tokens that do not survive", async () => {
    // A hundred survivors of 2.5 and fifty of 2, of which there are a hundred between the others.
    const values = Array.from({ length: 300 }, (_, id) => [2, 2.5, -1][id % 3]!);
    const attrs = { ...plain, topK: 150 };
    await parity(sampleOp, { name: "between", attrs, inputs: rowsOf(values, 500) });
  });

  it("chooses the same from infinite, missing and tiny logits", async () => {
    const rows = [
      [Infinity, 1, Infinity, -Infinity, NaN, 0, 3],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [NaN, NaN, NaN, NaN, NaN, NaN, NaN],
      [1e-40, -1e-40, -0, 0, -1, -2, -1e38],
      [3e38, -3e38, 2.9e38, 3e38, 0, 1, 2],
    ];
    const [, streams, chosen] = rowsOf([0], rows.length);
    const values = Float32Array.from(rows.flat());
    for (const changes of [{ temperature: 0 }, {}, { topK: 2 }, { topP: 0.6 }])
      await parity(sampleOp, {
        name: "odd",
        attrs: { ...plain, ...changes },
        inputs: [
          { values, shape: [rows.length, 7] },
          ...("temperature" in changes ? [] : [streams!]),
          chosen!,
        ],
      });
  });

  it("puts parts of the vocabulary beside one another", async () => {
    const rows = { values: randomValues(1, [700, 301]), shape: [700, 301] };
    for (const [first, columns] of [
      [0, 100],
      [100, 201],
    ] as const)
      await parity(placeColumnsOp, {
        name: "part",
        attrs: { first },
        inputs: [rows, { values: randomValues(2, [700, columns]), shape: [700, columns] }],
      });
  });

  it("chooses for more rows than one axis of workgroups has", async () => {
    await check("65,601 rows", [65_601, 2], { temperature: 0 });
  });
});
