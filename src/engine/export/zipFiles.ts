/** Files as one zip archive, stored as they are: weights hardly shrink. */
import { Zip, ZipPassThrough } from "fflate";
import type { StreamedFile } from "./safetensorsFolder.ts";

/** Sizes and places in a plain zip archive have 32 bits. */
export const LARGEST_ZIP_BYTES = 4_294_967_295;
/** Of names, sizes and checks for each file, generously. */
const OVERHEAD_BYTES = 1024;

/** Why files do not fit into one archive, with both numbers; null where they do. */
export function whyNoZip(files: readonly StreamedFile[]): string | null {
  const bytes = files.reduce((sum, file) => sum + file.bytes + OVERHEAD_BYTES, 0);
  if (bytes <= LARGEST_ZIP_BYTES) return null;
  return `The files have ${(bytes / 1e9).toFixed(1)} GB, a zip archive holds ${(LARGEST_ZIP_BYTES / 1e9).toFixed(1)} GB: save them one by one.`;
}

/** The archive, piece by piece: of the files only what is being written is in memory. */
export async function* zipChunks(files: readonly StreamedFile[]): AsyncGenerator<Uint8Array> {
  const made: Uint8Array[] = [];
  let failure: unknown = null;
  const zip = new Zip((error, chunk) => {
    if (error !== null) failure ??= error;
    else made.push(chunk);
  });
  const drain = function* () {
    if (failure !== null)
      throw failure instanceof Error ? failure : new Error("The zip archive could not be written.");
    yield* made.splice(0);
  };
  for (const { name, chunks } of files) {
    const entry = new ZipPassThrough(name);
    // One and the same files are one and the same archive.
    entry.mtime = new Date(1980, 0, 1);
    zip.add(entry);
    for await (const chunk of chunks()) {
      entry.push(chunk);
      yield* drain();
    }
    entry.push(new Uint8Array(), true);
    yield* drain();
  }
  zip.end();
  yield* drain();
}
