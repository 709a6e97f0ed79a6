/** Files in the browser's private file system (OPFS), which belongs to this page's origin alone. */
import { memoryStore, StorageError, type FileStore } from "./fileStore.ts";

/** What a file is called while it is written. */
const UNFINISHED = ".unfinished";

/** A file open for writing in a worker; it writes in place. */
interface SyncFile {
  truncate: (size: number) => void;
  write: (bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }) => number;
  flush: () => void;
  close: () => void;
}

/** A file open for writing anywhere; what is written counts from `close` on. */
interface FileStream {
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
}

/** The part of a file's handle that is used here; not every browser has all of it. */
export interface OpfsFile {
  readonly kind: "file";
  getFile: () => Promise<{ arrayBuffer: () => Promise<ArrayBuffer> }>;
  createSyncAccessHandle?: () => Promise<SyncFile>;
  createWritable?: () => Promise<FileStream>;
  move?: (name: string) => Promise<void>;
}

/** The part of a folder's handle that is used here. */
export interface OpfsFolder {
  readonly kind: "directory";
  getFileHandle: (name: string, options?: { readonly create: boolean }) => Promise<OpfsFile>;
  getDirectoryHandle: (name: string, options?: { readonly create: boolean }) => Promise<OpfsFolder>;
  removeEntry: (name: string) => Promise<void>;
  entries: () => AsyncIterable<[string, OpfsFile | OpfsFolder]>;
}

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
  return {
    isLasting: true,
    read: (name) =>
      guarded(name, () =>
        orIfMissing(null, async () => {
          const { folder, last } = await openFolder(root, name, false);
          const file = await (await folder.getFileHandle(last)).getFile();
          const bytes = new Uint8Array(await file.arrayBuffer());
          // The name of a stream that was never closed.
          return bytes.length === 0 ? null : bytes;
        }),
      ),
    write: (name, bytes) =>
      guarded(name, async () => {
        const { folder, last } = await openFolder(root, name, true);
        await writeWhole(folder, last, bytes);
      }),
    remove: (name) =>
      guarded(name, () =>
        orIfMissing(undefined, async () => {
          const { folder, last } = await openFolder(root, name, false);
          await folder.removeEntry(last);
        }),
      ),
    list: () => guarded("", async () => (await namesIn(root, "")).sort()),
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

/** Under the real name there is the old file, the whole new one, or for a moment none. */
async function writeWhole(folder: OpfsFolder, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const unfinished = await folder.getFileHandle(`${name}${UNFINISHED}`, { create: true });
  try {
    if (unfinished.move !== undefined) {
      await (unfinished.createSyncAccessHandle === undefined ? writeStream : writeInPlace)(unfinished, bytes);
      await moveOver(folder, unfinished, name);
      return;
    }
    // A stream's content comes under its name as a whole, when it is closed.
    await writeStream(await folder.getFileHandle(name, { create: true }), bytes);
    await folder.removeEntry(`${name}${UNFINISHED}`);
  } catch (error) {
    await folder.removeEntry(`${name}${UNFINISHED}`).catch(() => undefined);
    throw error;
  }
}

async function writeInPlace(file: OpfsFile, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const open = await file.createSyncAccessHandle?.();
  try {
    open?.truncate(0);
    const written = open?.write(bytes, { at: 0 });
    if (written !== bytes.length) throw new Error(`${written} of ${bytes.length} bytes were written.`);
    open?.flush();
  } finally {
    open?.close();
  }
}

async function writeStream(file: OpfsFile, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const stream = await file.createWritable?.();
  if (stream === undefined) throw new Error("this browser cannot write files here.");
  try {
    await stream.write(bytes);
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
}

/** Some browsers do not move a file over another one. */
async function moveOver(folder: OpfsFolder, file: OpfsFile, name: string): Promise<void> {
  try {
    await file.move?.(name);
  } catch {
    await orIfMissing(undefined, () => folder.removeEntry(name));
    await file.move?.(name);
  }
}

async function namesIn(folder: OpfsFolder, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const [name, entry] of folder.entries()) {
    if (entry.kind === "directory") names.push(...(await namesIn(entry, `${prefix}${name}/`)));
    else if (!name.endsWith(UNFINISHED)) names.push(`${prefix}${name}`);
  }
  return names;
}

async function orIfMissing<Answer>(otherwise: Answer, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return otherwise;
    throw error;
  }
}

async function storageError(name: string, cause: unknown, door: StorageDoor): Promise<StorageError> {
  if (nameOf(cause) === "QuotaExceededError") {
    const { usage, quota } = (await door.estimate?.().catch(() => undefined)) ?? {};
    const room = usage === undefined || quota === undefined ? "" : ` (${inGb(usage)} of ${inGb(quota)} GB)`;
    return new StorageError(`Browser storage is full${room}.`, { isFull: true, cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(`The browser refused its storage for "${name}": ${reason}`, {
    isFull: false,
    cause,
  });
}

function nameOf(error: unknown): string {
  return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}

function inGb(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
