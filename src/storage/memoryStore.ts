import type { FileStore } from "./fileStore.ts";

/** Files in memory: for tests, and where the browser offers no storage. */
export function memoryStore(): FileStore {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const unfinished = new Map<string, readonly Uint8Array<ArrayBuffer>[]>();
  const lengthOf = (pieces: readonly Uint8Array[]) => pieces.reduce((sum, { length }) => sum + length, 0);
  const blobOf = (pieces: readonly Uint8Array<ArrayBuffer>[]) => {
    const blob = new Blob([...pieces]);
    return blob.size === 0 ? null : blob;
  };
  const remove = (name: string) => {
    files.delete(name);
    unfinished.delete(name);
  };
  const names = () => [...new Set([...files.keys(), ...unfinished.keys()])];
  return {
    isLasting: false,
    read: async (name) => files.get(name)?.slice() ?? null,
    openBlob: async (name) => blobOf([files.get(name) ?? new Uint8Array()]),
    write: async (name, bytes) => void files.set(name, bytes.slice()),
    append: async (name, bytes, at) => {
      const before = at === 0 ? [] : (unfinished.get(name) ?? []);
      const there = lengthOf(before);
      if (there < at) throw new RangeError(`"${name}" has ${there} bytes, too few to write at ${at}.`);
      const kept = there === at ? before : [await bytesBefore(before, at)];
      unfinished.set(name, [...kept, bytes.slice()]);
    },
    openUnfinished: async (name) => blobOf(unfinished.get(name) ?? []),
    finish: async (name) => {
      const pieces = unfinished.get(name) ?? [];
      files.set(name, await bytesBefore(pieces, lengthOf(pieces)));
      unfinished.delete(name);
    },
    remove: async (name) => remove(name),
    removeFolder: async (name) => {
      for (const file of names()) if (file.startsWith(`${name}/`)) remove(file);
    },
    list: async () => [...files.keys()].sort(),
    sizes: async () =>
      new Map(
        names().map((name) => [name, (files.get(name)?.length ?? 0) + lengthOf(unfinished.get(name) ?? [])]),
      ),
    estimate: async () => ({ usedBytes: null, quotaBytes: null }),
  };
}

async function bytesBefore(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob([...pieces]).slice(0, end).arrayBuffer());
}
