import { FileFormatError } from "../files/fileFormatError.ts";
import { layouts } from "./layouts/index.ts";
import type { ReadSaeOptions, SaeArrays, SaeFile } from "./layouts/layout.ts";

/**
 * Reads an autoencoder from its files, whichever layout they have, onto the host. Rejects with `FileFormatError` that
 * names the file and what is wrong with it.
 */
export async function readSae(files: readonly SaeFile[], options: ReadSaeOptions = {}): Promise<SaeArrays> {
  const layout = layouts.find(({ matches }) => matches(files));
  if (layout !== undefined) return layout.read(files, options);
  const known = layouts.map(({ fileNames }) => fileNames.join(" and ")).join(", or ");
  const given = files.map(({ name }) => name).join(", ") || "no file";
  throw new FileFormatError("FIL-1", given, `not an autoencoder that is known: that has ${known}.`);
}
