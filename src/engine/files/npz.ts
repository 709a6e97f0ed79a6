/** Archives of arrays as NumPy's `savez` and `savez_compressed` write them: zip files of `.npy` files. */
import type { FileBytes } from "./fileBytes.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { readNpy } from "./npy.ts";
import type { NamedArray } from "./safetensors.ts";
import { openZip } from "./zip.ts";

/** An archive whose directory was read; its arrays are read one by one. */
export interface Npz {
  /** Names of the arrays, without `.npy`. */
  readonly names: readonly string[];
  /** Reads, checks and unpacks one array; throws `FileFormatError` where it is damaged, and for a name that is not there. */
  readonly read: (name: string) => Promise<NamedArray>;
}

const EXTENSION = ".npy";

/**
 * Opens an `.npz`: reads its directory alone, and of the rest what is asked for. Throws `FileFormatError` (FIL-2 when the
 * end is missing) for what is no such archive, or one beyond 4 GB.
 */
export async function openNpz(source: FileBytes, file: string): Promise<Npz> {
  const archive = await openZip(source, file, "an archive of arrays (.npz)");
  const names = archive.names
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length));
  return {
    names,
    read: async (name) => {
      if (!names.includes(name)) throw new FileFormatError("FIL-1", file, `the array ${name} is missing.`);
      const member = `${name}${EXTENSION}`;
      return readNpy(await archive.read(member), `${file}: ${member}`);
    },
  };
}
