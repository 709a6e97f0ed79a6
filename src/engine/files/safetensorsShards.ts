/** A model in several safetensors files, and the index that says which of them holds what. */
import { findDuplicateKey } from "./duplicateKey.ts";
import { readRange, sizeOf, type FileBytes } from "./fileBytes.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { openSafetensors } from "./safetensors.ts";
import type { StoredTensors } from "./storedTensors.ts";

/** Name of the index in a model's folder. */
export const shardIndexName = "model.safetensors.index.json";

/** A line for each tensor; the largest models have some thousands. */
const MAX_INDEX_BYTES = 100_000_000;

function refuse(file: string, problem: string): never {
  throw new FileFormatError("FIL-1", file, problem);
}

/** File by tensor, as the index has them. */
async function readIndex(bytes: FileBytes): Promise<ReadonlyMap<string, string>> {
  const size = sizeOf(bytes);
  if (size > MAX_INDEX_BYTES)
    refuse(shardIndexName, `it has ${size} bytes, expected at most ${MAX_INDEX_BYTES}.`);
  const text = new TextDecoder().decode(await readRange(bytes, 0, size));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    refuse(shardIndexName, "it is not JSON.");
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null) refuse(shardIndexName, `it holds the key ${JSON.stringify(duplicate)} twice.`);
  const map: unknown = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map))
    refuse(shardIndexName, "weight_map is not an object of file names by tensor.");
  const entries = Object.entries(map as Record<string, unknown>);
  for (const [name, file] of entries) {
    if (typeof file === "string") continue;
    refuse(shardIndexName, `weight_map["${name}"] is ${JSON.stringify(file)}, expected the name of a file.`);
  }
  return new Map(entries as [string, string][]);
}

/**
 * Opens the files that an index names, which are looked up by name: every one of them must be there, hold exactly the tensors that the index says,
 * and no other. Throws `FileFormatError` otherwise.
 */
export async function openShards(
  index: FileBytes,
  find: (file: string) => Promise<FileBytes | undefined>,
): Promise<StoredTensors> {
  const fileOf = await readIndex(index);
  const tensors: [string, StoredTensors][] = [];
  for (const file of new Set(fileOf.values())) {
    const bytes = await find(file);
    if (bytes === undefined) refuse(shardIndexName, `it names ${file}, which is not among the files.`);
    else tensors.push([file, await openSafetensors(bytes, file)]);
  }
  const opened = new Map(tensors);
  for (const [name, file] of fileOf) {
    if (opened.get(file)?.has(name) !== true) refuse(file, `the tensor "${name}" is missing.`);
  }
  for (const [file, held] of opened) {
    const other = [...held.keys()].find((name) => fileOf.get(name) !== file);
    if (other === undefined) continue;
    const expected = fileOf.get(other) ?? "no file";
    refuse(file, `it holds the tensor "${other}", for which ${shardIndexName} names ${expected}.`);
  }
  return new Map([...fileOf].map(([name, file]) => [name, opened.get(file)!.get(name)!]));
}
