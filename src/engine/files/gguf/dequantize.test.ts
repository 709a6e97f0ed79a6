import { describe, expect, it } from "vitest";
import { floatToHalf } from "../../kernels/weightLayout/half.ts";
import { quantizeGroup } from "../../kernels/weightLayout/quantize.ts";
import { readGolden } from "../../testing/fixtures.ts";
import { encodeHalf, encodeQ8_0 } from "./encode.ts";
import { dequantize, ggufTypes, type GgufType } from "./tensorTypes.ts";

/** Blocks in hexadecimal and the values that gguf-py reads from them (tools/golden/blocks.py). */
async function readBlocks() {
  const text = new TextDecoder().decode(await readGolden("gguf/blocks.json"));
  const golden = JSON.parse(text) as Record<string, { blocks: string; values: number[] }>;
  return Object.entries(golden).map(([name, { blocks, values }]) => ({
    name,
    blocks: Uint8Array.from(blocks.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
    values,
  }));
}

function halfBytes(value: number): number[] {
  const half = floatToHalf(value);
  return [half & 0xff, half >> 8];
}

describe("dequantize", () => {
  it("reads what gguf-py reads from random blocks", async () => {
    const read = (await readBlocks()).filter(({ name }) => !name.endsWith(" written"));
    expect(read).toHaveLength(8);
    for (const { name, blocks, values } of read) {
      const own = dequantize(name as GgufType, blocks);
      const scale = Math.max(...values.map(Math.abs));
      // Where a product needs more than 24 bits, gguf-py rounds twice.
      const worst = values.reduce((most, value, index) => Math.max(most, Math.abs(value - own[index]!)), 0);
      expect(own, name).toHaveLength(values.length);
      expect(worst / scale, name).toBeLessThan(2e-7);
    }
  });

  it("reads a block of Q4_0 by hand: low nibbles first, 8 is nothing", () => {
    // d = 0.5; byte j holds j below and 15 − j above: 0.5·(j − 8), then 0.5·(15 − j − 8).
    const codes = Array.from({ length: 16 }, (_, j) => j | ((15 - j) << 4));
    const values = dequantize("Q4_0", Uint8Array.of(...halfBytes(0.5), ...codes));
    const expected = [...codes.map((_, j) => 0.5 * (j - 8)), ...codes.map((_, j) => 0.5 * (7 - j))];
    expect([...values]).toEqual(expected);
  });

  it("reads the fifth bits of Q5_1 by hand", () => {
    // d = 1, m = -2, nibbles 0; bits 0, 16 and 31 are set: those weights are 16 − 2.
    const bits = [0b1, 0, 0b1, 0b1000_0000];
    const bytes = new Uint8Array(24);
    bytes.set([...halfBytes(1), ...halfBytes(-2), ...bits]);
    const values = dequantize("Q5_1", bytes);
    expect([...values.entries()].filter(([, value]) => value !== -2)).toEqual([
      [0, 14],
      [16, 14],
      [31, 14],
    ]);
  });

  it("reads the scales and minima of Q4_K by hand", () => {
    const bytes = new Uint8Array(144);
    bytes.set([...halfBytes(1), ...halfBytes(1)]);
    // Group 1: S[1] = 5, S[5] = 3. Group 5: low scale bits in S[9] & 15, high ones in S[1] >> 6;
    // low minimum bits in S[9] >> 4, high ones in S[5] >> 6.
    bytes[4 + 1] = 5 | (2 << 6);
    bytes[4 + 5] = 3 | (1 << 6);
    bytes[4 + 9] = 7 | (6 << 4);
    bytes.fill(0x10, 16 + 0, 16 + 32); // high nibbles 1: group 1
    bytes.fill(0x20, 16 + 64, 16 + 96); // high nibbles 2: group 5
    const values = dequantize("Q4_K", bytes);
    expect(values[32]).toBe(5 - 3);
    expect(values[5 * 32 + 31]).toBe((7 + 16 * 2) * 2 - (6 + 16 * 1));
    expect(values[0]).toBe(0);
  });

  it("reads plain values, and refuses a part of a block", () => {
    expect([...dequantize("F32", Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0))]).toEqual([1, -2]);
    expect([...dequantize("BF16", Uint8Array.of(0x80, 0x3f, 0, 0xc0))]).toEqual([1, -2]);
    expect([...dequantize("F16", Uint8Array.of(0, 0x3c, 0, 0xc0))]).toEqual([1, -2]);
    expect(() => dequantize("Q6_K", new Uint8Array(ggufTypes.Q6_K.bytes + 1))).toThrow(RangeError);
  });
});

describe("encode", () => {
  it("writes what gguf-py writes", async () => {
    const golden = (await readBlocks()).filter(({ name }) => name.endsWith(" written"));
    expect(golden).toHaveLength(2);
    for (const { name, blocks, values } of golden) {
      const encode = name.startsWith("F16") ? encodeHalf : encodeQ8_0;
      expect(encode(Float32Array.from(values)), name).toEqual(blocks);
    }
  });

  it("quantises as the device's layout does, halves away from zero", () => {
    // The scale is 1: halves are met exactly.
    const values = Float32Array.from({ length: 32 }, (_, index) => index - 15.5);
    values[0] = 127;
    const codes = new Int8Array(32);
    const { scale } = quantizeGroup({ values, start: 0, end: 32 }, "q8", codes);
    const bytes = encodeQ8_0(values);
    expect([...new Int8Array(bytes.buffer, 2)]).toEqual([...codes]);
    expect([...bytes.subarray(0, 2)]).toEqual(halfBytes(scale));
    expect(new Int8Array(bytes.buffer)[2 + 15]).toBe(-1);
    expect(encodeQ8_0(new Float32Array(32))).toEqual(new Uint8Array(34));
  });
});
