import { describe, expect, it } from "vitest";
import { openSafetensors, writeSafetensors, type NamedArray } from "./safetensors.ts";
import { openShards } from "./safetensorsShards.ts";

const array = (...values: number[]): NamedArray => ({
  shape: [values.length],
  values: Float32Array.from(values),
});
const indexOf = (map: unknown) => new TextEncoder().encode(JSON.stringify({ weight_map: map }));
const files = new Map([
  ["one.safetensors", writeSafetensors(new Map([["a", array(1, 2)], ["b", array(3)]]))], // prettier-ignore
  ["two.safetensors", writeSafetensors(new Map([["c", array(4, 5)]]))],
]);
const find = (file: string) => Promise.resolve(files.get(file));
const map = { a: "one.safetensors", b: "one.safetensors", c: "two.safetensors" };

describe("openShards", () => {
  it("finds every tensor in its file", async () => {
    const tensors = await openShards(indexOf(map), find);
    const values = await Promise.all([...tensors].map(async ([name, each]) => [name, [...(await each.values())]])); // prettier-ignore
    expect(values).toEqual([["a", [1, 2]], ["b", [3]], ["c", [4, 5]]]); // prettier-ignore
  });

  it.each<readonly [string, unknown, string]>([
    ["a file that is not there", { ...map, d: "three.safetensors" }, "it names three.safetensors, which is not among the files"], // prettier-ignore
    ["a tensor that its file lacks", { ...map, d: "two.safetensors" }, 'two.safetensors: the tensor "d" is missing'], // prettier-ignore
    ["a tensor that it does not name", { a: map.a, c: map.c }, 'one.safetensors: it holds the tensor "b", for which model.safetensors.index.json names no file'], // prettier-ignore
    ["a tensor in another file", { ...map, c: "one.safetensors" }, 'one.safetensors: the tensor "c" is missing'], // prettier-ignore
    ["a file that is no name", { a: 3 }, 'weight_map["a"] is 3'],
    ["no map", [], "weight_map is not an object"],
  ])("refuses an index with %s", async (_, weights, words) => {
    await expect(openShards(indexOf(weights), find)).rejects.toThrow(words);
  });

  it("refuses an index that is no JSON, or names a tensor twice", async () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    await expect(openShards(bytes("{"), find)).rejects.toThrow("it is not JSON");
    const twice = '{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}';
    await expect(openShards(bytes(twice), find)).rejects.toThrow('the key "a" twice');
  });
});

/** A file that counts what is read of it. */
class CountedBlob extends Blob {
  read = 0;
  override slice(start?: number, end?: number): Blob {
    this.read += (end ?? this.size) - (start ?? 0);
    return super.slice(start, end);
  }
}

describe("openSafetensors", () => {
  const matrix = { shape: [50, 4], values: Float32Array.from({ length: 200 }, (_, at) => at) };
  const bytes = writeSafetensors(new Map([["m", matrix], ["v", array(7)]])) as Uint8Array<ArrayBuffer>; // prettier-ignore
  const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));

  it("reads the header alone, then what is asked for", async () => {
    const file = new CountedBlob([bytes]);
    const tensors = await openSafetensors(file, "m.safetensors");
    // The length with the brace behind it, then the header.
    expect(file.read).toBe(9 + headerBytes);
    const tensor = tensors.get("m")!;
    expect(tensor).toMatchObject({ shape: [50, 4], type: "F32", bytes: 800 });
    const rows = tensor.rows!(10, 12);
    expect(rows).toMatchObject({ shape: [2, 4], bytes: 32 });
    expect([...(await rows.values())]).toEqual([40, 41, 42, 43, 44, 45, 46, 47]);
    expect([...(await rows.rows!(1, 2).values())]).toEqual([44, 45, 46, 47]);
    expect(file.read).toBe(9 + headerBytes + 32 + 16);
    expect(await tensor.values()).toEqual(matrix.values);
  });

  it("says when the file has become shorter", async () => {
    class Shrinking extends Blob {
      isCut = false;
      override slice(start?: number, end?: number): Blob {
        return super.slice(start, this.isCut ? Math.min(end ?? 0, 300) : end);
      }
    }
    const file = new Shrinking([bytes]);
    const tensors = await openSafetensors(file, "m.safetensors");
    file.isCut = true;
    await expect(tensors.get("m")!.read()).rejects.toThrow("m.safetensors: Incomplete file");
  });
});
