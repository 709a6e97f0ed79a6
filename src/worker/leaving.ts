/** Files on their way out of the studio: made piece by piece into the browser's storage, or where it keeps none, into blobs. */
import { whyNoZip, zipChunks } from "../engine/export/zipFiles.ts";
import type { StreamedFile } from "../engine/export/safetensorsFolder.ts";
import type { FileBytes } from "../engine/files/fileBytes.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { refuse } from "./errorReport.ts";
import type { LeavingFile } from "./modelProtocol.ts";

const FOLDER = "leaving";
/** Smaller files stay in memory. */
const SMALL_BYTES = 1_000_000;

/** Makes the files, or one archive of them called `zipName`; what left before is removed. Rejects with `StorageError`. */
export async function makeLeaving(
  files: readonly StreamedFile[],
  { store, zipName }: { readonly store: FileStore; readonly zipName: string | null },
): Promise<readonly LeavingFile[]> {
  await sweepLeaving(store);
  if (zipName === null) {
    const made: LeavingFile[] = [];
    for (const file of files) made.push({ name: file.name, bytes: await makeOne(file, store) });
    return made;
  }
  const problem = whyNoZip(files);
  if (problem !== null) refuse("CFG-1", problem);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const archive = { name: zipName, bytes, chunks: () => zipChunks(files) };
  return [{ name: zipName, bytes: await makeOne(archive, store) }];
}

/** Removes what was made to leave. Rejects with `StorageError`. */
export function sweepLeaving(store: FileStore): Promise<void> {
  return store.removeFolder(FOLDER);
}

async function makeOne({ name, bytes, chunks }: StreamedFile, store: FileStore): Promise<FileBytes> {
  if (bytes <= SMALL_BYTES || !store.isLasting) {
    // The browser moves what is large out of memory.
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of chunks()) pieces.push(owned(chunk));
    const blob = new Blob(pieces);
    return bytes <= SMALL_BYTES ? new Uint8Array(await blob.arrayBuffer()) : blob;
  }
  const path = `${FOLDER}/${name}`;
  let at = 0;
  try {
    for await (const chunk of chunks()) {
      await store.append(path, owned(chunk), at);
      at += chunk.length;
    }
    await store.finish(path);
    const made = await store.openBlob(path);
    if (made === null || made.size !== at)
      throw new Error(`"${name}" has ${made?.size ?? 0} bytes, not ${at}.`);
    return made;
  } catch (error) {
    await sweepLeaving(store).catch(() => undefined);
    throw error;
  }
}

function owned(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  return chunk.buffer instanceof ArrayBuffer ? (chunk as Uint8Array<ArrayBuffer>) : chunk.slice();
}
