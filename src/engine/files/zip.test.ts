import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allBytes } from "./fileBytes.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { writeZip } from "./npz.testing.ts";
import { openZip } from "./zip.ts";

const FILE = "model.zip";
const text = (words: string) => new TextEncoder().encode(words);
const files = new Map([
  ["model/", new Uint8Array()],
  ["model/config.json", text('{"a":1}')],
  ["model/weights.bin", Uint8Array.from({ length: 400 }, (_, at) => at % 7)],
]);
const stored = await writeZip(files);
const deflated = await writeZip(files, true);

/** Names whose bytes are read and are not those that were put in; a flip in a name makes it another one. */
async function faultsOf(damaged: Uint8Array): Promise<string[]> {
  try {
    const archive = await openZip(damaged, FILE);
    const read = await Promise.all(
      archive.names.map(async (name) => [name, await archive.read(name)] as const),
    );
    return read.flatMap(([name, bytes]) =>
      (files.get(name) ?? bytes).join() === bytes.join() ? [] : [name],
    );
  } catch (error) {
    return error instanceof FileFormatError ? [] : [String(error)];
  }
}

describe("openZip", () => {
  it.each([
    ["stored", stored],
    ["deflated", deflated],
  ] as const)("opens %s files, from memory and from a disk", async (_, bytes) => {
    for (const source of [bytes, new Blob([bytes])]) {
      const archive = await openZip(source, FILE);
      expect(archive.names).toEqual(["model/config.json", "model/weights.bin"]);
      for (const name of archive.names) {
        expect(await allBytes(await archive.open(name))).toEqual(files.get(name));
        expect(await archive.read(name)).toEqual(files.get(name));
      }
    }
  });

  it("leaves a stored file where it lies, and what is unpacked in a Blob", async () => {
    const inMemory = await (await openZip(stored, FILE)).open("model/weights.bin");
    expect(inMemory).toBeInstanceOf(Uint8Array);
    expect((inMemory as Uint8Array).buffer).toBe(stored.buffer);
    const unpacked = await (await openZip(deflated, FILE)).open("model/weights.bin");
    expect(unpacked).toBeInstanceOf(Blob);
  });

  it("refuses a name that is there twice, one that is not there, and what is no archive", async () => {
    const twice = await writeZip(new Map([["a.txt", text("1")], ["b.txt", text("2")]])); // prettier-ignore
    twice[twice.lastIndexOf("b".charCodeAt(0))] = "a".charCodeAt(0);
    await expect(openZip(twice, FILE)).rejects.toThrow("model.zip: the archive holds a.txt twice");
    await expect((await openZip(stored, FILE)).open("x")).rejects.toThrow("the archive holds no x");
    await expect(openZip(new Uint8Array(99), FILE)).rejects.toThrow("model.zip: not a zip archive");
  });

  it("never gives other bytes than were put in, however the archive is damaged", async () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(stored, deflated), flips, async (bytes, bits) => {
        const damaged = bytes.slice();
        for (const [at, bit] of bits) damaged[at % damaged.length]! ^= 1 << bit;
        expect(await faultsOf(damaged)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
