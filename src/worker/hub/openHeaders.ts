/** What of a repository's files is opened before its weights are downloaded. */
import { readRange, sizeOf, type FileBytes } from "../../engine/files/fileBytes.ts";
import { FileFormatError } from "../../engine/files/fileFormatError.ts";

export {
  openHeaders,
  type ModelFile as OpenFile,
  type ModelHeaders,
} from "../../engine/models/modelSource.ts";

/** More of a small file is not read. */
const MOST_TEXT_BYTES = 4 << 20;

/** Reads a small file of JSON. Throws `FileFormatError`. */
export async function readJson(bytes: FileBytes, name: string): Promise<unknown> {
  const size = sizeOf(bytes);
  if (size > MOST_TEXT_BYTES)
    throw new FileFormatError("FIL-1", name, `it has ${size} bytes, expected at most ${MOST_TEXT_BYTES}.`);
  const text = new TextDecoder().decode(await readRange(bytes, 0, size));
  try {
    return JSON.parse(text);
  } catch {
    throw new FileFormatError("FIL-1", name, "it is not JSON.");
  }
}
