import { gguf } from "@huggingface/gguf";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileFormatError } from "../fileFormatError.ts";
import { collect, patched, smallContents, smallFile } from "./ggufFile.testing.ts";
import { readGgufHeader, type GgufHeader } from "./header.ts";
import { dequantize } from "./tensorTypes.ts";
import { writeGguf } from "./write.ts";

/**
 * What `@huggingface/gguf` reads. It is the oracle of tests only: it fetches addresses and takes counts and lengths of
 * a file at their word.
 */
function readElsewhere(bytes: Uint8Array<ArrayBuffer>) {
  const serve = (_address: unknown, options?: RequestInit) => {
    const range = new Headers(options?.headers).get("range") ?? "";
    const [, begin, end] = /bytes=(\d+)-(\d+)/.exec(range) ?? [];
    return Promise.resolve(new Response(bytes.slice(Number(begin), Number(end) + 1), { status: 206 }));
  };
  return gguf("https://example.org/model.gguf", { fetch: serve });
}

async function refusal(bytes: Uint8Array): Promise<FileFormatError> {
  const error: unknown = await readGgufHeader(bytes, "m.gguf").catch((reason: unknown) => reason);
  if (error instanceof FileFormatError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

/** Where a text lies in a file. */
function find(bytes: Uint8Array, text: string): number {
  return Buffer.from(bytes).indexOf(text);
}

describe("readGgufHeader", () => {
  it("reads what was written, from memory and from where it lies", async () => {
    const bytes = await smallFile();
    for (const source of [bytes, new Blob([bytes])]) {
      const { metadata, tensors } = await readGgufHeader(source, "m.gguf");
      expect(Object.fromEntries(metadata)).toEqual({
        "general.architecture": "llama",
        whole: 7,
        negative: -7,
        real: 0.5,
        yes: true,
        texts: ["\uFEFFa", "", "Привет"],
        reals: Float32Array.of(1, -0.25),
        wholes: Int32Array.of(3, -1),
      });
      expect(tensors.map(({ name, shape, type }) => ({ name, shape, type }))).toEqual(
        smallContents.tensors.map(({ name, shape, type }) => ({ name, shape, type })),
      );
      const [first, second] = tensors;
      expect([...dequantize("F32", bytes.subarray(first?.begin, first?.end))]).toEqual(
        Array.from({ length: 10 }, (_, index) => index),
      );
      expect((second?.end ?? 0) - (second?.begin ?? 0)).toBe(3 * 34);
    }
  });

  it("agrees with @huggingface/gguf", async () => {
    const bytes = await smallFile();
    const theirs = await readElsewhere(bytes);
    const { metadata, tensors } = await readGgufHeader(bytes, "m.gguf");
    for (const [key, value] of metadata) {
      // It drops a byte order mark, which is a token of some vocabularies.
      if (key === "texts") continue;
      const expected: unknown = (theirs.metadata as Record<string, unknown>)[key];
      expect(ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value, key).toEqual(expected);
    }
    const own = tensors.map(({ name, shape, begin }) => [name, shape, begin]);
    const other = theirs.tensorInfos.map(({ name, shape, offset }) => [
      name,
      shape.map(Number).toReversed(),
      Number(theirs.tensorDataOffset + offset),
    ]);
    expect(own).toEqual(other);
  });

  it("refuses other files and versions", async () => {
    const bytes = await smallFile();
    expect((await refusal(new Uint8Array(3))).message).toContain("not a GGUF file");
    expect((await refusal(patched(bytes, 0, [0x50]))).message).toContain("not a GGUF file");
    expect((await refusal(patched(bytes, 4, [1]))).message).toContain("version 1, expected 2 or 3");
    expect((await refusal(patched(bytes, 4, [0, 0, 0, 3]))).message).toContain("big-endian");
  });

  it("refuses counts and lengths that the file could not hold, before anything is read", async () => {
    const bytes = await smallFile();
    for (const at of [8, 16]) {
      const error = await refusal(patched(bytes, at, [0, 0, 0, 0x80]));
      expect(error.message).toMatch(/the header asks for \d+ bytes/);
      expect((await refusal(patched(bytes, at, [0xff, 3]))).code).toBe("FIL-2");
    }
    const texts = find(bytes, "texts") + 5 + 4 + 4;
    expect((await refusal(patched(bytes, texts, [0, 0, 0, 0, 0, 0, 0, 0x20]))).message).toContain(
      "the number of elements of texts is 2305843009213693952",
    );
    expect((await refusal(patched(bytes, find(bytes, "yes") - 8, [0xff, 0xff, 1]))).message).toContain(
      "expected at most 65535",
    );
  });

  it("refuses what is there twice, of an unknown type, or no text", async () => {
    const bytes = await smallFile();
    expect(
      (await refusal(patched(bytes, find(bytes, "reals"), [...Buffer.from("texts")]))).message,
    ).toContain('holds "texts" twice');
    expect((await refusal(patched(bytes, find(bytes, "yes") + 3, [13]))).message).toContain("type 13");
    expect((await refusal(patched(bytes, find(bytes, "reals") + 5 + 4, [9]))).message).toContain("type 9");
    expect((await refusal(patched(bytes, find(bytes, "llama"), [0xff]))).message).toContain("not UTF-8");
  });

  it("refuses tensors that do not fit, naming them", async () => {
    const bytes = await smallFile();
    // Name, number of sizes, sizes, type, offset.
    const first = find(bytes, "first") + 5;
    const cases: [at: number, values: number[], message: string][] = [
      [first, [0], "has 0 sizes"],
      [first, [5], "has 5 sizes"],
      [first + 4, [0], "has sizes [0, 2]"],
      [first + 4, [0, 0, 0, 0, 0, 0, 0x1f], "has sizes"],
      [first + 20, [10], "is stored as Q2_K, expected one of F32, F16, BF16, Q8_0"],
      [first + 20, [99], "is stored as type 99"],
      [first + 20, [8], "rows of 5 values, expected a multiple of 32 for Q8_0"],
      [first + 24, [32], "tensors leave a gap"],
      [first + 4, [30], "tensors overlap"],
    ];
    for (const [at, values, message] of cases)
      expect((await refusal(patched(bytes, at, values))).message).toContain(message);
  });

  it("refuses a bad alignment and what follows the tensors", async () => {
    const metadata = new Map([["general.alignment", { type: "uint32" as const, value: 12 }]]);
    const header = await collect(writeGguf({ metadata, tensors: [] }));
    expect((await refusal(header)).message).toContain("general.alignment is 12, expected a multiple of 8");
    const bytes = await smallFile();
    const longer = new Uint8Array(bytes.length + 32);
    longer.set(bytes);
    expect((await refusal(longer)).message).toContain(`the file has ${longer.length} bytes`);
  });

  it("is not written with values that became infinite in 16 bits", async () => {
    const file = (value: number) =>
      writeGguf({
        metadata: new Map(),
        tensors: [
          { name: "w", shape: [1, 2], type: "F16", values: () => Promise.resolve(Float32Array.of(1, value)) },
        ],
      });
    // Binary16 ends at 65504; halfway to 65536 rounding goes up, to infinity.
    await expect(collect(file(-65_520))).rejects.toThrow(
      'Tensor "w" holds -65520, which 16-bit floats cannot',
    );
    const bytes = await collect(file(65_519));
    expect([...dequantize("F16", bytes.slice(-32, -28))]).toEqual([1, 65_504]);
  });

  it("calls a file that is cut anywhere incomplete", async () => {
    const bytes = await smallFile();
    // The last tensor has 16 bytes, and 16 of padding that a file may lack.
    const end = bytes.length - 16;
    expect((await readGgufHeader(bytes.subarray(0, end), "m.gguf")).tensors).toHaveLength(3);
    for (let length = 4; length < end; length++)
      expect((await refusal(bytes.subarray(0, length))).code, `${length} bytes`).toBe("FIL-2");
  });

  it("gives a typed error or tensors inside the file, whatever bytes are changed", async () => {
    const bytes = await smallFile();
    const change = fc.tuple(
      fc.nat(bytes.length - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0xff)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const copy = Uint8Array.from(bytes);
        for (const [at, value] of changes) copy[at] = value;
        const read = await readGgufHeader(copy, "m.gguf").catch((error: unknown) => error);
        // Anything but a typed error fails the property.
        if (read instanceof FileFormatError) return true;
        if (read instanceof Error) throw read;
        const { tensors } = read as GgufHeader;
        return tensors.every(({ begin, end }) => begin < end && end <= copy.length);
      }),
      { numRuns: 1000 },
    );
  });
});
