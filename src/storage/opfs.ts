/** Files in the browser's private file system (OPFS), which belongs to this page's origin alone. */
import { fullness, StorageError, type FileStore, type StorageEstimate } from "./fileStore.ts";
import { memoryStore } from "./memoryStore.ts";
import {
  appendTo,
  moveOver,
  nameOf,
  orIfMissing,
  unfinishedName,
  withoutMark,
  writeWhole,
  type OpfsFile,
  type OpfsFolder,
} from "./opfsFile.ts";

/** Share of the quota from which on it is what is full. */
const NEARLY_FULL = 0.9;

/** The browser's side of storage: `navigator.storage`, or what a test puts in its place. */
export interface StorageDoor {
  readonly getDirectory?: () => Promise<OpfsFolder>;
  readonly estimate?: () => Promise<{ readonly usage?: number; readonly quota?: number }>;
}

/** Opens the private file system; where there is none, files are kept in memory, and `isLasting` says so. */
export async function openFileStore(door: StorageDoor | undefined = browserStorage()): Promise<FileStore> {
  try {
    const root = await door?.getDirectory?.();
    return door === undefined || root === undefined ? memoryStore() : opfsStore(root, door);
  } catch {
    // Private windows of some browsers have the door and keep it shut.
    return memoryStore();
  }
}

/** Absent on plain http. */
function browserStorage(): StorageDoor | undefined {
  return globalThis.navigator?.storage;
}

function opfsStore(root: OpfsFolder, door: StorageDoor): FileStore {
  const guarded = async <Answer>(name: string, work: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await work();
    } catch (cause) {
      throw await storageError(name, cause, door);
    }
  };
  /** A file's content; null where it is missing or empty: the name of a stream that was never closed. */
  const open = (name: string, fileName: (last: string) => string) =>
    guarded(name, () =>
      orIfMissing(null, async () => {
        const { folder, last } = await openFolder(root, name, false);
        const file = await (await folder.getFileHandle(fileName(last))).getFile();
        return file.size === 0 ? null : file;
      }),
    );
  const finished = (name: string) => open(name, (last) => last);
  return {
    isLasting: true,
    read: async (name) => {
      const file = await finished(name);
      return file && guarded(name, async () => new Uint8Array(await file.arrayBuffer()));
    },
    openBlob: finished,
    openUnfinished: (name) => open(name, unfinishedName),
    write: (name, bytes) =>
      guarded(name, async () => {
        const { folder, last } = await openFolder(root, name, true);
        await writeWhole(folder, last, bytes);
      }),
    append: (name, bytes, at) =>
      guarded(name, async () => {
        const { folder, last } = await openFolder(root, name, true);
        await appendTo(await folder.getFileHandle(unfinishedName(last), { create: true }), bytes, at);
      }),
    finish: (name) =>
      guarded(name, async () => {
        const { folder, last } = await openFolder(root, name, false);
        await moveOver(folder, await folder.getFileHandle(unfinishedName(last)), last);
      }),
    remove: (name) =>
      guarded(name, () =>
        orIfMissing(undefined, async () => {
          const { folder, last } = await openFolder(root, name, false);
          await orIfMissing(undefined, () => folder.removeEntry(unfinishedName(last)));
          await folder.removeEntry(last);
        }),
      ),
    removeFolder: (name) =>
      guarded(name, () =>
        orIfMissing(undefined, async () => {
          const { folder, last } = await openFolder(root, name, false);
          await folder.removeEntry(last, { recursive: true });
        }),
      ),
    list: () =>
      guarded("", async () => {
        const names = (await entriesIn(root, "")).map(([name]) => name);
        return names.filter((name) => name === withoutMark(name)).sort();
      }),
    sizes: () => guarded("", () => sizesIn(root)),
    estimate: () => estimateOf(door),
  };
}

async function openFolder(
  root: OpfsFolder,
  name: string,
  create: boolean,
): Promise<{ readonly folder: OpfsFolder; readonly last: string }> {
  const parts = name.split("/");
  const last = parts.pop() ?? "";
  let folder = root;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
  return { folder, last };
}

async function entriesIn(folder: OpfsFolder, prefix: string): Promise<[string, OpfsFile][]> {
  const files: [string, OpfsFile][] = [];
  for await (const [name, entry] of folder.entries()) {
    if (entry.kind === "directory") files.push(...(await entriesIn(entry, `${prefix}${name}/`)));
    else files.push([`${prefix}${name}`, entry]);
  }
  return files;
}

async function sizesIn(root: OpfsFolder): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const [name, file] of await entriesIn(root, "")) {
    // A file may be moved or removed meanwhile.
    const size = await orIfMissing(0, async () => (await file.getFile()).size);
    const real = withoutMark(name);
    sizes.set(real, (sizes.get(real) ?? 0) + size);
  }
  return sizes;
}

async function estimateOf(door: StorageDoor): Promise<StorageEstimate> {
  const { usage, quota } = (await door.estimate?.().catch(() => undefined)) ?? {};
  return { usedBytes: usage ?? null, quotaBytes: quota ?? null };
}

async function storageError(name: string, cause: unknown, door: StorageDoor): Promise<StorageError> {
  if (cause instanceof RangeError) throw cause;
  if (nameOf(cause) === "QuotaExceededError") {
    return new StorageError(whyFull(await estimateOf(door)), { isFull: true, cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(`The browser refused its storage for "${name}": ${reason}`, {
    isFull: false,
    cause,
  });
}

/** Some browsers tell a page more room than they give it, and the disk may be full before the quota is. */
function whyFull(estimate: StorageEstimate): string {
  const { usedBytes, quotaBytes } = estimate;
  const room = fullness(estimate);
  if (usedBytes === null || quotaBytes === null) return "Browser storage is full.";
  if (usedBytes >= NEARLY_FULL * quotaBytes) return `Browser storage is full (${room}).`;
  return `Browser storage is full. The browser takes no more, though it counts ${room}: the disk may be full.`;
}
