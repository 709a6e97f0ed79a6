import { describe, expect, it } from "vitest";
import { randomSource, randomValues } from "../../tensor/testing.ts";
import { brainToFloat, floatToBrain, floatToHalf, halfToFloat } from "./half.ts";
import { repackQ4_0, repackQ4_1, repackQ8_0 } from "./repack.ts";
import {
  bytesPerRow,
  groupSize,
  packHalves,
  packRows,
  unpackRow,
  weightLayouts,
  wordsPerRow,
} from "./weightLayout.ts";

function randomBytes(seed: number, length: number): Uint8Array {
  const random = randomSource(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

describe("16-bit floats", () => {
  it("come back from every bit pattern", () => {
    const patterns = Array.from({ length: 65_536 }, (_, bits) => bits);
    const halves = patterns.filter((bits) => !Number.isNaN(halfToFloat(bits)));
    expect(halves.map((bits) => floatToHalf(halfToFloat(bits)))).toEqual(halves);
    const brains = patterns.filter((bits) => !Number.isNaN(brainToFloat(bits)));
    expect(brains.map((bits) => floatToBrain(brainToFloat(bits)))).toEqual(brains);
  });

  it("are rounded to the nearest, halves to even", () => {
    // Halves near 1 are 2^-10 apart, bfloat16 2^-7.
    expect(halfToFloat(floatToHalf(1 + 2 ** -11))).toBe(1);
    expect(halfToFloat(floatToHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(halfToFloat(floatToHalf(-1 - 2 ** -11 - 2 ** -20))).toBe(-1 - 2 ** -10);
    expect(brainToFloat(floatToBrain(1 + 2 ** -8))).toBe(1);
    expect(brainToFloat(floatToBrain(1 + 3 * 2 ** -8))).toBe(1 + 2 ** -6);
    expect(halfToFloat(floatToHalf(2.5 * 2 ** -24))).toBe(2 * 2 ** -24);
    expect(halfToFloat(floatToHalf(2047.5 * 2 ** -25))).toBe(2 ** -14);
    expect(halfToFloat(floatToHalf(65_519))).toBe(65_504);
    expect(halfToFloat(floatToHalf(65_520))).toBe(Infinity);
    expect(halfToFloat(floatToHalf(NaN))).toBeNaN();
    expect(brainToFloat(floatToBrain(NaN))).toBeNaN();
  });
});

describe("rows of packed weights", () => {
  it("have the sizes of their layouts", () => {
    const words = (inputs: number) => weightLayouts.map((layout) => wordsPerRow(layout, inputs));
    // f32, f16, bf16, then q8, q4m, q4s: codes and scales of 3 groups, of 1 group and of 2 groups.
    expect(words(96)).toEqual([96, 48, 48, 24 + 2, 12 + 3, 12 + 2]);
    expect(words(7)).toEqual([7, 4, 4, 8 + 1, 4 + 1, 4 + 1]);
    expect(words(33)).toEqual([33, 17, 17, 16 + 1, 8 + 2, 8 + 1]);
    expect(bytesPerRow("q4s", 1024) / 1024).toBe(4.5 / 8);
    expect(bytesPerRow("q8", 1024) / 1024).toBe(8.5 / 8);
  });

  it.each(weightLayouts)("in %s are concatenated to stack matrices", (layout) => {
    for (const inputs of [96, 37]) {
      const upper = randomValues(1, [3, inputs]);
      const lower = randomValues(2, [2, inputs]);
      const stacked = packRows(Float32Array.of(...upper, ...lower), [5, inputs], layout);
      const parts = [...packRows(upper, [3, inputs], layout), ...packRows(lower, [2, inputs], layout)];
      expect([...stacked]).toEqual(parts);
    }
  });

  it.each([
    ["f32", 0],
    ["f16", 2 ** -11],
    ["bf16", 2 ** -8],
    // Half a step and the rounding of the scale, as fractions of the largest magnitude.
    ["q8", 0.5 / 127 + 2 ** -11],
    ["q4s", 1 / 8 + 2 ** -11],
    ["q4m", 1 / 15 + 2 ** -9],
  ] as const)("in %s keep values within their step", (layout, bound) => {
    for (const inputs of [1, 4, 32, 37, 96, 130]) {
      const values = randomValues(inputs, [3, inputs]);
      const packed = packRows(values, [3, inputs], layout);
      for (let row = 0; row < 3; row++) {
        const unpacked = unpackRow(packed, row, inputs, layout);
        const signed = unpackRow(new Int32Array(packed.buffer), row, inputs, layout);
        expect([...signed]).toEqual([...unpacked]);
        for (let start = 0; start < inputs; start += groupSize) {
          const group = values.subarray(row * inputs + start, row * inputs + Math.min(start + 32, inputs));
          const peak = Math.max(...group.map(Math.abs));
          group.forEach((value, index) => {
            expect(Math.abs(unpacked[start + index]! - value)).toBeLessThanOrEqual(bound * peak);
          });
        }
      }
    }
  });

  it("round as the reference quantisers do", () => {
    const group = (values: number[]) =>
      Float32Array.of(...values, ...Array<number>(32 - values.length).fill(0));
    // Scale 127 / 127 = 1; halves go away from zero.
    const bytes = packRows(group([127, 0.5, -0.5, -2.4]), [1, 32], "q8");
    expect([...unpackRow(bytes, 0, 32, "q8")].slice(0, 4)).toEqual([127, 1, -1, -2]);
    // The peak 8 is code 0, so the step is -1 and +7 steps reach -7.
    const signed = packRows(group([8, -7, -8, 0.6]), [1, 32], "q4s");
    expect([...unpackRow(signed, 0, 32, "q4s")].slice(0, 5)).toEqual([8, -7, -7, 1, -0]);
    // From -3 to 12 in 15 steps of 1.
    const between = packRows(group([-3, 12, 0.4, -0.6]), [1, 32], "q4m");
    expect([...unpackRow(between, 0, 32, "q4m")].slice(0, 5)).toEqual([-3, 12, 0, -1, 0]);
  });

  it.each(weightLayouts)("in %s keep a row of zeros", (layout) => {
    const packed = packRows(new Float32Array(40), [1, 40], layout);
    expect([...unpackRow(packed, 0, 40, layout)].every((value) => value === 0)).toBe(true);
  });

  it("take 16-bit patterns as they are", () => {
    const halves = Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600);
    expect([...unpackRow(packHalves(halves, [2, 3]), 1, 3, "f16")]).toEqual([4, 5, 6]);
    expect([...unpackRow(packHalves(halves, [1, 6]), 0, 6, "f16")]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("refuse values that do not fill the matrix", () => {
    expect(() => packRows(new Float32Array(7), [2, 4], "q8")).toThrow("7 values do not fill 2 rows of 4");
    expect(() => packHalves(new Uint16Array(7), [2, 4])).toThrow("7 values");
    expect(() => unpackRow(new Float32Array(8), 0, 4, "q8")).toThrow("q8");
  });
});

/** Value `index` of a block by the definition of its format. */
const definitions = {
  q8: (block: DataView, index: number) => Math.fround(halfOf(block, 0) * block.getInt8(2 + index)),
  q4s: (block: DataView, index: number) => Math.fround(halfOf(block, 0) * (nibbleOf(block, 2, index) - 8)),
  q4m: (block: DataView, index: number) =>
    Math.fround(halfOf(block, 0) * nibbleOf(block, 4, index) + halfOf(block, 2)),
};

function halfOf(block: DataView, at: number): number {
  return halfToFloat(block.getUint16(at, true));
}

function nibbleOf(block: DataView, at: number, index: number): number {
  const byte = block.getUint8(at + (index % 16));
  return index < 16 ? byte & 15 : byte >> 4;
}

describe("blocks of GGUF", () => {
  it.each([
    ["q8", repackQ8_0, 34],
    ["q4s", repackQ4_0, 18],
    ["q4m", repackQ4_1, 20],
  ] as const)("become %s without a change of any value", (layout, repack, size) => {
    const [rows, inputs] = [5, 96];
    const blocks = randomBytes(3, ((rows * inputs) / 32) * size);
    for (let at = 0; at < blocks.length; at += size) {
      // Scales and minima that are finite; some subnormal.
      blocks[at + 1]! &= at % (3 * size) === 0 ? 0x83 : 0xbf;
      if (layout === "q4m") blocks[at + 3]! &= 0xbf;
    }
    const packed = repack(blocks, [rows, inputs]);
    expect(packed).toHaveLength(rows * wordsPerRow(layout, inputs));
    for (let row = 0; row < rows; row++) {
      const actual = unpackRow(packed, row, inputs, layout);
      actual.forEach((value, index) => {
        const block = new DataView(blocks.buffer, ((row * inputs + index) >> 5) * size, size);
        expect(value).toBe(definitions[layout](block, index % 32));
      });
    }
  });

  it("must be whole", () => {
    expect(() => repackQ8_0(new Uint8Array(34), [1, 33])).toThrow("whole blocks of 32 values, not 33");
    expect(() => repackQ4_0(new Uint8Array(19), [1, 32])).toThrow("19 bytes are not the 1 blocks of 18");
    expect(() => repackQ4_1(new Uint8Array(18), [1, 32])).toThrow("blocks of 20");
  });
});
