import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { openNpz } from "./npz.ts";
import { writeNpy, writeNpz, writeZip } from "./npz.testing.ts";

const FILE = "params.npz";
const arrays = {
  W: { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  b: { shape: [64], values: new Float32Array(64) },
};
/** Offsets within an entry of the directory. */
const at = { flags: 8, method: 10, checksum: 16, packed: 20, unpacked: 24, offset: 42 };

const stored = await writeNpz(arrays);
const deflated = await writeNpz(arrays, true);
const directoryStart = (bytes: Uint8Array<ArrayBuffer>) =>
  new DataView(bytes.buffer).getUint32(bytes.length - 6, true);

/** A copy of an archive with one number of its directory's first entry changed. */
function changed(bytes: Uint8Array<ArrayBuffer>, place: number, value: number, width: 16 | 32 = 32) {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (width === 32) view.setUint32(directoryStart(bytes) + place, value, true);
  else view.setUint16(directoryStart(bytes) + place, value, true);
  return copy;
}

const readW = async (bytes: Uint8Array<ArrayBuffer>) => (await openNpz(bytes, FILE)).read("W");

describe("crc32", () => {
  it("gives the check value of its definition", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });
});

describe("openNpz", () => {
  it.each([
    ["stored", stored],
    ["deflated", deflated],
  ] as const)("lists and reads %s arrays, from memory and from a file", async (_, bytes) => {
    for (const source of [bytes, new Blob([bytes])]) {
      const archive = await openNpz(source, FILE);
      expect(archive.names).toEqual(["W", "b"]);
      expect(await archive.read("W")).toEqual(arrays.W);
      expect(await archive.read("b")).toEqual(arrays.b);
    }
    expect(deflated.length).toBeLessThan(stored.length);
  });

  it("passes over what is no array, and allows a comment at the end", async () => {
    const files = new Map([
      ["note.txt", new TextEncoder().encode("hello")],
      ["W.npy", writeNpy(arrays.W)],
    ]);
    const bytes = await writeZip(files);
    const commented = new Uint8Array(bytes.length + 5);
    commented.set(bytes);
    commented[bytes.length - 2] = 5;
    const archive = await openNpz(commented, FILE);
    expect(archive.names).toEqual(["W"]);
    expect(await archive.read("W")).toEqual(arrays.W);
  });

  it("reads nothing of the data before an array is asked for", async () => {
    const damaged = stored.slice();
    damaged.fill(0, 0, directoryStart(stored));
    const archive = await openNpz(damaged, FILE);
    expect(archive.names).toEqual(["W", "b"]);
    await expect(archive.read("W")).rejects.toThrow(
      "params.npz: W.npy: its header in the archive is damaged",
    );
  });

  it.each<readonly [string, Uint8Array<ArrayBuffer>, string]>([
    ["no archive", new Uint8Array(200), "not an archive of arrays"],
    ["an empty file", new Uint8Array(), "not an archive of arrays"],
    [
      "a cut archive",
      stored.slice(0, stored.length - 30),
      "Incomplete file: the archive's directory is missing",
    ],
    ["another method", changed(stored, at.method, 12, 16), "method of compression is 12"],
    ["an encrypted archive", changed(stored, at.flags, 1, 16), "encrypted"],
    ["64-bit sizes", changed(stored, at.offset, 0xffffffff), "larger than 4 GB"],
    [
      "a size that is not there",
      changed(stored, at.unpacked, 1e9),
      "bytes in the archive cannot hold 1000000000",
    ],
    [
      "a place beyond the data",
      changed(stored, at.offset, stored.length),
      "header in the archive is damaged",
    ],
    [
      "more data than there are",
      changed(changed(stored, at.packed, 5e6), at.unpacked, 5e6),
      "the archive has no more",
    ],
    ["more than deflate can make", changed(deflated, at.unpacked, 4e8), "cannot hold 400000000"],
    ["more than it unpacks to", changed(deflated, at.unpacked, 153), "unpacks to 152 bytes, expected 153"],
    ["less than it unpacks to", changed(deflated, at.unpacked, 151), "unpacks to more bytes, expected 151"],
    ["another checksum", changed(stored, at.checksum, 1), "the checksum is another one"],
  ])("refuses %s", async (_, bytes, words) => {
    await expect(readW(bytes)).rejects.toThrow(words);
    await expect(readW(bytes)).rejects.toThrow(FileFormatError);
  });

  it("refuses a name that is there twice, or not at all", async () => {
    const twice = await writeZip(
      new Map([
        ["W.npy", writeNpy(arrays.W)],
        ["V.npy", writeNpy(arrays.W)],
      ]),
    );
    const place = twice.lastIndexOf("V".charCodeAt(0));
    twice[place] = "W".charCodeAt(0);
    await expect(openNpz(twice, FILE)).rejects.toThrow("the archive holds W.npy twice");
    await expect((await openNpz(stored, FILE)).read("x")).rejects.toThrow(
      "params.npz: the array x is missing",
    );
  });

  it("refuses damaged packed data", async () => {
    const damaged = deflated.slice();
    damaged.fill(0xff, 35, 60);
    await expect(readW(damaged)).rejects.toThrow("the packed data are damaged");
  });
});
