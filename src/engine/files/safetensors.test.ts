import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brainToFloat, halfToFloat } from "../kernels/weightLayout/half.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { openSafetensors, readSafetensors, writeSafetensors, type NamedArray } from "./safetensors.ts";

const FILE = "model.safetensors";

/** A file from a header text and its data. */
function fileOf(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

/** What reading throws, or null. */
function failureOf(bytes: Uint8Array): unknown {
  try {
    readSafetensors(bytes, FILE);
    return null;
  } catch (error) {
    return error;
  }
}

function isRefusedOrRead(bytes: Uint8Array): boolean {
  const failure = failureOf(bytes);
  return failure === null || failure instanceof FileFormatError;
}

function refusalOf(bytes: Uint8Array): FileFormatError {
  const failure = failureOf(bytes);
  if (failure instanceof FileFormatError) return failure;
  throw new Error("the file was not refused", { cause: failure });
}

const tensorArbitrary: fc.Arbitrary<NamedArray> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return fc
      .float32Array({ minLength: count, maxLength: count })
      .map((values) => ({ shape, values }) satisfies NamedArray);
  });

const tensorsArbitrary = fc
  .array(fc.tuple(fc.string({ minLength: 1, unit: "grapheme" }), tensorArbitrary), { maxLength: 5 })
  .map((entries) => new Map(entries));

const sample = writeSafetensors(
  new Map<string, NamedArray>([
    ["b", { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["a", { shape: [1], values: Float32Array.of(-0.5) }],
  ]),
);

describe("safetensors", () => {
  it("reads back whatever it writes", () => {
    fc.assert(
      fc.property(tensorsArbitrary, (tensors) => {
        const read = readSafetensors(writeSafetensors(tensors), FILE);
        expect([...read.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, tensor] of tensors) expect(read.get(name)).toEqual(tensor);
      }),
      { numRuns: 60 },
    );
  });

  it("sorts keys, aligns the data to 8 bytes and names the format", () => {
    const headerBytes = Number(new DataView(sample.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    const header = new TextDecoder().decode(sample.subarray(8, 8 + headerBytes));
    expect(JSON.parse(header)).toEqual({
      __metadata__: { format: "pt" },
      a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      b: { dtype: "F32", shape: [2, 3], data_offsets: [4, 28] },
    });
    expect(header.indexOf('"a"')).toBeLessThan(header.indexOf('"b"'));
  });

  it("reads from the middle of a larger buffer", () => {
    const shifted = new Uint8Array(sample.length + 3);
    shifted.set(sample, 3);
    expect(readSafetensors(shifted.subarray(3), FILE).get("a")?.values).toEqual(Float32Array.of(-0.5));
  });

  it("widens F16 and BF16", () => {
    const data = Uint8Array.of(0x00, 0x3c, 0x80, 0xbf);
    const header =
      '{"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}}';
    const read = readSafetensors(fileOf(header, data), FILE);
    expect(read.get("h")?.values).toEqual(Float32Array.of(1));
    expect(read.get("b")?.values).toEqual(Float32Array.of(-1));
    expect([0x0001, 0x03ff, 0x7bff, 0xc000, 0xfc00].map(halfToFloat)).toEqual([
      2 ** -24,
      1023 * 2 ** -24,
      65504,
      -2,
      -Infinity,
    ]);
    expect(halfToFloat(0x7e00)).toBeNaN();
    expect(brainToFloat(0x4049)).toBe(3.140625);
  });

  it("rounds F64", () => {
    const data = new Uint8Array(Float64Array.of(0.1, -3).buffer);
    const header = '{"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}';
    expect(readSafetensors(fileOf(header, data), FILE).get("d")?.values).toEqual(Float32Array.of(0.1, -3));
  });

  it("says how much of a cut file is there", () => {
    const cut = refusalOf(sample.subarray(0, sample.length - 4));
    expect(cut.code).toBe("FIL-2");
    expect(cut.message).toBe(`${FILE}: Incomplete file: ${sample.length - 4} of ${sample.length} bytes.`);
    const header = '{"a":{"dtype":"F32","shape":[103000000],"data_offsets":[0,412000000]}}';
    expect(refusalOf(fileOf(header, new Uint8Array(1_000_000))).message).toContain("1 of 412 MB.");
  });

  it.each([
    ["an unknown file", Uint8Array.of(1, 2, 3), "too few"],
    ["a huge header length", new Uint8Array(16).fill(255), "header length"],
    ["a header that is no object", fileOf("[1,2]"), 'start with "{"'],
    ["broken JSON", fileOf('{"a":}'), "not valid JSON"],
    ["metadata that is no string", fileOf('{"__metadata__":{"a":1}}'), "__metadata__"],
    [
      "a dtype",
      fileOf('{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}'),
      '"I64", expected one of F32',
    ],
    ["a shape", fileOf('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'), "shape is [-1]"],
    ["a size", fileOf('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}'), "expected 8 bytes"],
    [
      "a key held twice",
      fileOf('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":{}}'),
      '"a" twice',
    ],
    [
      "an overlap",
      fileOf(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}',
        new Uint8Array(6),
      ),
      "overlap",
    ],
    [
      "a gap",
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', new Uint8Array(8)),
      "leave a gap",
    ],
    ["bytes nobody names", fileOf("{}", new Uint8Array(4)), "cover 0 bytes"],
  ])("refuses %s by name, whole or by ranges", async (_, bytes, words) => {
    await expect(openSafetensors(bytes, FILE)).rejects.toThrow(words);
    const refusal = refusalOf(bytes);
    expect(refusal.code).toBe("FIL-1");
    expect(refusal.message).toContain(words);
    expect(refusal.file).toBe(FILE);
  });

  it("never fails in another way, however the bytes are damaged", () => {
    const flips = fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(flips, fc.nat(sample.length), (bits, length) => {
        const damaged = sample.slice();
        for (const [at, bit] of bits) damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        for (const bytes of [damaged, damaged.subarray(0, length), sample.subarray(0, length)])
          expect(isRefusedOrRead(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("is refused or read by ranges as it is whole", async () => {
    const reads = (bytes: Uint8Array) =>
      openSafetensors(bytes, FILE).then(
        () => null,
        (error: Error) => error.message,
      );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sample.length - 1),
        fc.nat(7),
        fc.nat(sample.length),
        async (at, bit, length) => {
          const damaged = sample.slice(0, length);
          if (at < length) damaged[at]! ^= 1 << bit;
          const failure = failureOf(damaged);
          expect(await reads(damaged)).toBe(failure instanceof Error ? failure.message : null);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("does not write values that do not fill their shape", () => {
    const wrong = new Map([["a", { shape: [2], values: new Float32Array(3) }]]);
    expect(() => writeSafetensors(wrong)).toThrow("[2] cannot hold 3");
  });
});
