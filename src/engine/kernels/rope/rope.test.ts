import { describe, expect, test } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { ropeCpu } from "./rope.cpu.ts";
import { ropeOp } from "./rope.ts";
import { ropeTable } from "./ropeTable.ts";

/** Angle of a position in a plane, from its cosine and sine. */
function angleOf(table: Float32Array, plane: number): number {
  return Math.atan2(table[plane * 2 + 1]!, table[plane * 2]!);
}

describe("table of rotations", () => {
  test("turns plane i by theta^(-2i/d) per position", () => {
    const table = ropeTable({ headDim: 4, maxPositions: 3, theta: 10_000 });
    const angles = [0, 0, 1, 0.01, 2, 0.02];
    expect(table.length).toBe(12);
    angles.forEach((angle, i) => {
      expect(table[i * 2]).toBe(Math.fround(Math.cos(angle)));
      expect(table[i * 2 + 1]).toBe(Math.fround(Math.sin(angle)));
    });
  });

  test("stays exact at a position of a hundred thousand", () => {
    const table = ropeTable({ headDim: 2, maxPositions: 100_001, theta: 10_000 });
    expect(table[200_000]).toBe(Math.fround(-0.99936080743821)); // cos(100000)
    expect(table[200_001]).toBe(Math.fround(0.03574879797201651)); // sin(100000)
  });

  test("linear scaling divides positions", () => {
    const plain = ropeTable({ headDim: 8, maxPositions: 3, theta: 500 });
    const scaled = ropeTable({
      headDim: 8,
      maxPositions: 9,
      theta: 500,
      scaling: { type: "linear", factor: 4 },
    });
    for (let i = 0; i < 8; i++) expect(scaled[8 * 8 + i]).toBeCloseTo(plain[2 * 8 + i]!, 7);
  });

  test("llama3 scaling keeps short waves, divides long ones and blends between", () => {
    const table = ropeTable({
      headDim: 8,
      maxPositions: 2,
      theta: 10_000, // frequencies 1, 0.1, 0.01, 0.001; wavelengths 6.28, 62.8, 628, 6283
      scaling: {
        type: "llama3",
        factor: 8,
        lowFrequencyFactor: 1,
        highFrequencyFactor: 4,
        originalMaxPositions: 1000, // long beyond 1000, short below 250
      },
    }).subarray(8);
    expect(angleOf(table, 0)).toBeCloseTo(1, 6);
    expect(angleOf(table, 1)).toBeCloseTo(0.1, 7);
    // 1000 / 628.3185 = 1.5915494 turns, a share of 0.1971831 between 1 and 4:
    // 0.01 (0.8028169 / 8 + 0.1971831) = 0.002975352.
    expect(angleOf(table, 2)).toBeCloseTo(0.002975352, 8);
    expect(angleOf(table, 3)).toBeCloseTo(0.000125, 9);
  });
});

const whole = { isInterleaved: false, direction: 1 } as const;

describe("rope", () => {
  test("turns the pairs (i, i + d/2) of every head", () => {
    // A quarter turn of plane 0 and none of plane 1 at position 1.
    const table = Float64Array.of(1, 0, 1, 0, 0, 1, 1, 0);
    const x = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    const y = new Float64Array(16);
    ropeCpu([x, table, Int32Array.of(1, 0)], [y], [[2, 8]], { heads: 2, headDim: 4, rotary: 4, ...whole });
    expect([...y]).toEqual([-3, 2, 1, 4, -7, 6, 5, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("turns neighbours when interleaved, and leaves the rest of a head alone", () => {
    // A quarter turn of both planes at position 1.
    const table = Float64Array.of(1, 0, 1, 0, 0, 1, 0, 1);
    const x = Float64Array.of(1, 2, 3, 4, 5, 6);
    const turned = (isInterleaved: boolean): number[] => {
      const y = new Float64Array(6);
      const attributes = { heads: 1, headDim: 6, rotary: 4, isInterleaved, direction: 1 } as const;
      ropeCpu([x, table, Int32Array.of(1)], [y], [[1, 6]], attributes);
      return [...y];
    };
    expect(turned(true)).toEqual([-2, 1, -4, 3, 5, 6]);
    expect(turned(false)).toEqual([-3, -4, 1, 2, 5, 6]);
  });

  test.each([
    { rotary: 6, isInterleaved: false },
    { rotary: 4, isInterleaved: false },
    { rotary: 4, isInterleaved: true },
  ])("gradient agrees with finite differences for $rotary of 6, $isInterleaved", async (variant) => {
    await checkGradient(ropeOp, {
      inputs: [
        { values: randomValues(1, [3, 12]), shape: [3, 12] },
        {
          values: ropeTable({ headDim: variant.rotary, maxPositions: 5, theta: 100 }),
          shape: [5, variant.rotary / 2, 2],
        },
        { values: Int32Array.of(4, 0, 3), shape: [3] },
      ],
      attrs: { heads: 2, headDim: 6, direction: 1, ...variant },
      wrt: ["x"],
    });
  });

  test("refuses a table of another head width", () => {
    const attributes = { heads: 2, headDim: 6, rotary: 6, ...whole };
    expect(() => ropeOp.outputShapes([[3, 12], [5, 4, 2], [3]], attributes)).toThrow("table of [5, 4, 2]");
    expect(() => ropeOp.outputShapes([[3, 12], [5, 3, 2], [2]], attributes)).toThrow("2 positions");
    const wider = { ...attributes, rotary: 8 };
    expect(() => ropeOp.outputShapes([[3, 12], [5, 4, 2], [3]], wider)).toThrow("8 values of heads of 6");
  });
});
