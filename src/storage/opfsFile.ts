/** One file of the private file system: how it is written, whole or piece by piece, and moved. */

/** What a file is called while it is written. */
const UNFINISHED = ".unfinished";

/** Bytes that are copied at a time where a file cannot be moved. */
const COPIED_BYTES = 8 << 20;

/** A file open for writing in a worker; it writes in place. */
interface SyncFile {
  getSize: () => number;
  truncate: (size: number) => void;
  write: (bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }) => number;
  flush: () => void;
  close: () => void;
}

/** A file open for writing anywhere; what is written counts from `close` on. */
interface FileStream {
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  seek: (position: number) => Promise<void>;
  truncate: (size: number) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
}

/** The part of a file's handle that is used here; not every browser has all of it. */
export interface OpfsFile {
  readonly kind: "file";
  getFile: () => Promise<Blob>;
  createSyncAccessHandle?: () => Promise<SyncFile>;
  createWritable?: (options?: { readonly keepExistingData: boolean }) => Promise<FileStream>;
  move?: (name: string) => Promise<void>;
}

/** The part of a folder's handle that is used here. */
export interface OpfsFolder {
  readonly kind: "directory";
  getFileHandle: (name: string, options?: { readonly create: boolean }) => Promise<OpfsFile>;
  getDirectoryHandle: (name: string, options?: { readonly create: boolean }) => Promise<OpfsFolder>;
  removeEntry: (name: string, options?: { readonly recursive: boolean }) => Promise<void>;
  entries: () => AsyncIterable<[string, OpfsFile | OpfsFolder]>;
}

/** Name of a file while it is written. */
export function unfinishedName(name: string): string {
  return `${name}${UNFINISHED}`;
}

/** Name of a file, whether it is finished or not. */
export function withoutMark(name: string): string {
  return name.endsWith(UNFINISHED) ? name.slice(0, -UNFINISHED.length) : name;
}

/** Writes a whole file: under its name there is the old one, the whole new one, or for a moment none. */
export async function writeWhole(
  folder: OpfsFolder,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const unfinished = await folder.getFileHandle(unfinishedName(name), { create: true });
  try {
    if (unfinished.move !== undefined) {
      await (unfinished.createSyncAccessHandle === undefined ? writeStream : writeInPlace)(unfinished, bytes);
      await moveOver(folder, unfinished, name);
      return;
    }
    // A stream's content comes under its name as a whole, when it is closed.
    await writeStream(await folder.getFileHandle(name, { create: true }), bytes);
    await folder.removeEntry(unfinishedName(name));
  } catch (error) {
    await folder.removeEntry(unfinishedName(name)).catch(() => undefined);
    throw error;
  }
}

/** Writes in place where a worker may, otherwise as a stream, behind which what was there is copied. */
export async function appendTo(file: OpfsFile, bytes: Uint8Array<ArrayBuffer>, at: number): Promise<void> {
  await (file.createSyncAccessHandle === undefined ? writeStream : writeInPlace)(file, bytes, at);
}

async function writeInPlace(file: OpfsFile, bytes: Uint8Array<ArrayBuffer>, at = 0): Promise<void> {
  const open = await file.createSyncAccessHandle?.();
  try {
    checkReach(open?.getSize() ?? 0, at);
    open?.truncate(at);
    const written = open?.write(bytes, { at });
    if (written !== bytes.length) throw shortWrite(written ?? 0, bytes.length);
    open?.flush();
  } finally {
    open?.close();
  }
}

async function writeStream(file: OpfsFile, bytes: Uint8Array<ArrayBuffer>, at = 0): Promise<void> {
  if (at > 0) checkReach((await file.getFile()).size, at);
  const stream = await file.createWritable?.({ keepExistingData: at > 0 });
  if (stream === undefined) throw new Error("this browser cannot write files here.");
  try {
    if (at > 0) {
      await stream.truncate(at);
      await stream.seek(at);
    }
    await stream.write(bytes);
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
}

function checkReach(size: number, at: number): void {
  if (size < at) throw new RangeError(`The file has ${size} bytes, too few to write at ${at}.`);
}

/** A disk that is full may take a part without a word. */
function shortWrite(written: number, length: number): Error {
  return Object.assign(new Error(`${written} of ${length} bytes were written.`), {
    name: "QuotaExceededError",
  });
}

/** Puts a file under another name. Some browsers do not move a file over another one, and some do not move files at all. */
export async function moveOver(folder: OpfsFolder, file: OpfsFile, name: string): Promise<void> {
  if (file.move === undefined) {
    await copyTo(await folder.getFileHandle(name, { create: true }), await file.getFile());
    await folder.removeEntry(unfinishedName(name));
    return;
  }
  try {
    await file.move(name);
  } catch {
    await orIfMissing(undefined, () => folder.removeEntry(name));
    await file.move(name);
  }
}

async function copyTo(target: OpfsFile, content: Blob): Promise<void> {
  for (let at = 0; at < content.size; at += COPIED_BYTES) {
    const piece = await content.slice(at, at + COPIED_BYTES).arrayBuffer();
    await appendTo(target, new Uint8Array(piece), at);
  }
}

/** The answer of some work, or another one where a file or a folder is missing. */
export async function orIfMissing<Answer>(otherwise: Answer, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return otherwise;
    throw error;
  }
}

/** Name of an error that a browser throws; empty where it has none. */
export function nameOf(error: unknown): string {
  return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}
