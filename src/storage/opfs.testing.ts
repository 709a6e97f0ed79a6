/** A private file system in memory with the browser's rules, which can fail and be cut short on demand. */
import type { StorageDoor } from "./opfs.ts";
import type { OpfsFile, OpfsFolder } from "./opfsFile.ts";

/** What the file system of a test does and refuses. */
export interface FakeOpfsOptions {
  readonly hasSyncFiles?: boolean;
  readonly hasMove?: boolean;
  readonly movesOver?: boolean;
  /** Bytes that fit in all. */
  quota?: number;
  /** What happens to the next write, once. */
  fault?: "cut" | "refuse" | null;
}

/** The file system and its content by path. */
export interface FakeOpfs {
  readonly door: StorageDoor;
  readonly files: Map<string, Uint8Array>;
}

function failure(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}

/** Old bytes with new ones written `at` bytes from their start. */
function overwritten(old: Uint8Array, bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(Math.max(old.length, at + bytes.length));
  all.set(old);
  all.set(bytes, at);
  return all;
}

/** Opens an empty file system; `options` may be changed while it is used. */
export function fakeOpfs(options: FakeOpfsOptions): FakeOpfs {
  const files = new Map<string, Uint8Array>();
  const folders = new Set<string>([""]);
  const put = (path: string, bytes: Uint8Array, isInPlace: boolean): void => {
    const fault = options.fault ?? null;
    options.fault = null;
    if (fault === "refuse") throw failure("NoModificationAllowedError", "another tab has it open");
    if (fault === "cut") {
      // What was written before the browser died; a stream's half is never seen.
      if (isInPlace) files.set(path, bytes.slice(0, bytes.length >> 1));
      throw failure("AbortError", "cut short");
    }
    const others = [...files].reduce((sum, [name, { length }]) => sum + (name === path ? 0 : length), 0);
    if (others + bytes.length > (options.quota ?? Infinity)) throw failure("QuotaExceededError");
    files.set(path, bytes.slice());
  };
  const fileAt = (folder: string, name: string): OpfsFile => {
    const path = `${folder}${name}`;
    const move = async (target: string) => {
      const to = `${folder}${target}`;
      if (files.has(to) && options.movesOver !== true) throw failure("InvalidModificationError");
      files.set(to, files.get(path) ?? new Uint8Array());
      files.delete(path);
    };
    const present = () => files.get(path) ?? new Uint8Array();
    const stream: OpfsFile = {
      ...(options.hasMove === true ? { move } : {}),
      kind: "file",
      getFile: () => Promise.resolve(new Blob([present().slice()])),
      createWritable: ({ keepExistingData } = { keepExistingData: false }) => {
        let written = keepExistingData ? present().slice() : new Uint8Array();
        let position = 0;
        return Promise.resolve({
          write: async (bytes) => {
            written = overwritten(written, bytes, position);
            position += bytes.length;
          },
          seek: async (to) => void (position = to),
          truncate: async (size) => void (written = written.slice(0, size)),
          close: async () => put(path, written, false),
          abort: () => Promise.resolve(),
        });
      },
    };
    if (options.hasSyncFiles !== true) return stream;
    return {
      ...stream,
      createSyncAccessHandle: () =>
        Promise.resolve({
          getSize: () => present().length,
          truncate: (size) => void files.set(path, present().slice(0, size)),
          write: (bytes, { at }) => {
            put(path, overwritten(present(), bytes, at), true);
            return bytes.length;
          },
          flush: () => undefined,
          close: () => undefined,
        }),
    };
  };
  const folderAt = (path: string): OpfsFolder => ({
    kind: "directory",
    getFileHandle: async (name, { create } = { create: false }) => {
      if (!files.has(`${path}${name}`)) {
        if (!create) throw failure("NotFoundError");
        files.set(`${path}${name}`, new Uint8Array());
      }
      return fileAt(path, name);
    },
    getDirectoryHandle: async (name, { create } = { create: false }) => {
      const inner = `${path}${name}/`;
      if (!folders.has(inner) && !create) throw failure("NotFoundError");
      folders.add(inner);
      return folderAt(inner);
    },
    removeEntry: async (name, { recursive } = { recursive: false }) => {
      const inner = `${path}${name}/`;
      if (recursive && folders.has(inner)) {
        for (const folder of folders) if (folder.startsWith(inner)) folders.delete(folder);
        for (const file of files.keys()) if (file.startsWith(inner)) files.delete(file);
      } else if (!files.delete(`${path}${name}`)) throw failure("NotFoundError");
    },
    entries: async function* () {
      const within = (full: string) => full.startsWith(path) && full !== path;
      for (const name of files.keys()) {
        const rest = name.slice(path.length);
        if (within(name) && !rest.includes("/")) yield [rest, fileAt(path, rest)];
      }
      for (const folder of folders) {
        const rest = folder.slice(path.length, -1);
        if (within(folder) && !rest.includes("/")) yield [rest, folderAt(folder)];
      }
    },
  });
  return {
    files,
    door: {
      getDirectory: () => Promise.resolve(folderAt("")),
      estimate: () => Promise.resolve({ usage: 1.9e9, quota: 2e9 }),
    },
  };
}
