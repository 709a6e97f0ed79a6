/** The files of an autoencoder: found by name, their JSON checked, their place known from the path or an option. */
import { findDuplicateKey } from "../../files/duplicateKey.ts";
import { readRange, sizeOf } from "../../files/fileBytes.ts";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { EXPECTED_HOOK, placeOfHook, type Place } from "./hooks.ts";
import { baseName, type ReadSaeOptions, type SaeFile } from "./layout.ts";

/** A JSON object, not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

const SHOWN_LENGTH = 60;
/** A configuration has a few thousand bytes. */
const MAX_CONFIG_BYTES = 1_000_000;

/** Throws `FileFormatError` that names a field, its value and what was expected. */
export function refuseField(file: string, field: string, value: unknown, expected: string): never {
  const text = JSON.stringify(value) ?? "missing";
  const shown = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
  throw new FileFormatError("FIL-1", file, `${field} is ${shown}, expected ${expected}.`);
}

/** Whether a value is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The only file of a name, or null; throws `FileFormatError` for several. */
export function findFile(files: readonly SaeFile[], isWanted: (base: string) => boolean): SaeFile | null {
  const found = files.filter((file) => isWanted(baseName(file)));
  if (found.length > 1)
    throw new FileFormatError(
      "FIL-1",
      found[1]!.name,
      `there is also ${found[0]!.name}: choose one of them.`,
    );
  return found[0] ?? null;
}

/** The only file of a name; throws `FileFormatError` for none or several. */
export function fileOf(files: readonly SaeFile[], name: string): SaeFile {
  const file = findFile(files, (base) => base === name);
  if (file === null) throw new FileFormatError("FIL-1", name, "the file is missing.");
  return file;
}

/** The JSON object of a file; throws `FileFormatError` for anything else, and for a key that is held twice. */
export async function readFields({ name, bytes }: SaeFile): Promise<Fields> {
  const size = sizeOf(bytes);
  if (size > MAX_CONFIG_BYTES)
    throw new FileFormatError(
      "FIL-1",
      name,
      `${size} bytes are no configuration: ${MAX_CONFIG_BYTES} at most.`,
    );
  const content = await readRange(bytes, 0, size);
  let parsed: unknown = null;
  let duplicate: string | null = null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content);
    parsed = JSON.parse(text);
    duplicate = findDuplicateKey(text);
  } catch {
    // Refused below, like JSON that is no object.
  }
  if (!isFields(parsed)) throw new FileFormatError("FIL-1", name, "not a JSON object in UTF-8.");
  if (duplicate !== null)
    throw new FileFormatError("FIL-1", name, `holds the key ${JSON.stringify(duplicate)} twice.`);
  return parsed;
}

/** A size in a field; throws `FileFormatError` unless it is a whole number above 0. */
export function sizeField(file: string, fields: Fields, name: string): number {
  const value = fields[name];
  return Number.isSafeInteger(value) && Number(value) > 0
    ? Number(value)
    : refuseField(file, name, value, "a whole number above 0");
}

/** The place that files or their path name, or the option's; throws `FileFormatError` for none, or two that differ. */
export function placeOf(file: string, known: Place | null, { hook }: ReadSaeOptions): Place {
  const given = placeOfHook(hook);
  if (hook !== undefined && given === null) return refuseField(file, "the given place", hook, EXPECTED_HOOK);
  if (known !== null && given !== null && known.layer !== given.layer)
    throw new FileFormatError(
      "FIL-1",
      file,
      `it reads the stream after block ${known.layer}, and ${given.hook} was asked for, after block ${given.layer}.`,
    );
  const place = known ?? given;
  if (place !== null) return place;
  throw new FileFormatError(
    "FIL-1",
    file,
    "which block it reads stands neither in the file nor in its path: keep the folder it was published in, such as " +
      "layer_25/width_16k/average_l0_55, or name the place, such as blocks.25.hook_resid_post.",
  );
}
