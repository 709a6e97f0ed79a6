/** Ten thousand damaged files for every reader: a typed error or what the file says, and never more memory than it has bytes for. */
import { describe, expect, it } from "vitest";
import { mutants, watchAllocations } from "../testing/mutations.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { readNpy } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { writeNpy, writeNpz } from "./npz.testing.ts";
import { openSafetensors, writeSafetensors } from "./safetensors.ts";
import { openZip } from "./zip.ts";

const MUTANTS = 10_000;
/** A 16-bit value becomes 32 bits, and a text in UTF-8 16 bits a letter; beside that there are tables of a fixed size. */
const LARGEST_FACTOR = 4;
const FIXED_BYTES = 1 << 17;

interface Reader {
  readonly good: readonly Uint8Array[];
  /** Reads everything; throws where the bytes are refused, and an `AssertionError` where what was read is wrong. */
  readonly readAll: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
}

const values = (count: number) => Float32Array.from({ length: count }, (_, index) => index / 8 - 1);
const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

const safetensors: Reader = {
  good: [
    writeSafetensors(
      new Map([
        ["a.weight", { shape: [3, 4], values: values(12) }],
        ["b", { shape: [5], values: values(5) }],
      ]),
    ),
    writeSafetensors(new Map([["x", { shape: [], values: values(1) }]]), { note: "n" }),
  ],
  readAll: async (bytes) => {
    const tensors = await openSafetensors(bytes, "file");
    let covered = 0;
    for (const tensor of tensors.values()) {
      expect((await tensor.values()).length).toBe(countOf(tensor.shape));
      covered += tensor.bytes;
    }
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(covered).toBe(bytes.length - 8 - headerBytes);
  },
};

const arrays = {
  weight: { shape: [3, 4], values: values(12) },
  bias: { shape: [4], values: values(4), type: "<f8" as const },
};

const npy: Reader = {
  good: [
    ...Object.values(arrays).map(writeNpy),
    writeNpy({ shape: [2, 2], values: [0, 1, 2, 3], isColumnMajor: true }),
  ],
  readAll: async (bytes) => {
    const { shape, values: read } = readNpy(bytes, "file");
    expect(read.length).toBe(countOf(shape));
    expect(read.length).toBeLessThanOrEqual(bytes.length / 2);
  },
};

const archives = await Promise.all([writeNpz(arrays), writeNpz(arrays, true)]);

const npz: Reader = {
  good: archives,
  // Every member has a checksum: what is read at all is what was written.
  readAll: async (bytes) => {
    const archive = await openNpz(bytes, "file");
    for (const name of archive.names) {
      const read = await archive.read(name);
      const written = Object.values(arrays).find(({ shape }) => shape.join() === read.shape.join());
      expect([...read.values]).toEqual([...(written?.values ?? [])]);
    }
  },
};

const members = Object.values(arrays).map((array) => new TextDecoder("latin1").decode(writeNpy(array)));

const zip: Reader = {
  good: archives,
  readAll: async (bytes) => {
    const archive = await openZip(bytes, "file");
    for (const name of archive.names)
      expect(members).toContain(new TextDecoder("latin1").decode(await archive.read(name)));
  },
};

const readers: Readonly<Record<string, Reader>> = { safetensors, npy, npz, zip };

describe.each(Object.entries(readers))("%s", (_, { good, readAll }) => {
  it(
    `gives an error of its own or what the file says, of ${MUTANTS} damaged files`,
    { timeout: 120_000 },
    async () => {
      const outcomes = { read: 0, refused: 0 };
      for (const bytes of mutants(good, { count: MUTANTS, seed: 1 })) {
        const { result, largest } = await watchAllocations(() =>
          readAll(bytes).then(
            () => null,
            (error: unknown) => error,
          ),
        );
        if (result !== null && !(result instanceof FileFormatError)) throw result;
        outcomes[result === null ? "read" : "refused"] += 1;
        expect(largest).toBeLessThanOrEqual(LARGEST_FACTOR * bytes.length + FIXED_BYTES);
      }
      // Both happen: damage that no reader could see, and damage that it must.
      expect(outcomes.read).toBeGreaterThan(0);
      expect(outcomes.refused).toBeGreaterThan(MUTANTS / 4);
    },
  );

  it("reads the files that the damaged ones were made of", async () => {
    for (const bytes of good) await readAll(Uint8Array.from(bytes));
    expect(good.length).toBeGreaterThan(0);
  });
});
