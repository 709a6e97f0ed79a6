/** Tensors of a GGUF file as Hugging Face names and lays them out: what the converter did is undone. */
import { readRange, sizeOf, type FileBytes } from "../../files/fileBytes.ts";
import { FileFormatError, incompleteFile } from "../../files/fileFormatError.ts";
import type { GgufTensor } from "../../files/gguf/header.ts";
import { dequantize, ggufTypes } from "../../files/gguf/tensorTypes.ts";
import type { ModelConfig } from "../config.ts";
import type { StoredTensor, StoredTensors } from "../../files/storedTensors.ts";
import { toHuggingFaceName, type GgufFamily } from "./families.ts";
import { separateRows } from "./rowOrder.ts";

/** An open file. */
export interface GgufSource {
  readonly bytes: FileBytes;
  readonly file: string;
}

/** Factors of rotary frequencies: settings, not a weight. */
export const ROPE_FACTORS = "rope_freqs.weight";

/** The stored bytes of one tensor; throws FIL-2 where the file ends before it does. */
export async function readTensor({ bytes, file }: GgufSource, tensor: GgufTensor): Promise<Uint8Array> {
  const stored = await readRange(bytes, tensor.begin, tensor.end);
  if (stored.length < tensor.end - tensor.begin) throw incompleteFile(file, sizeOf(bytes), tensor.end);
  return stored;
}

/** Tensors by Hugging Face's names. Throws `FileFormatError` for one that the family does not have. */
export function openTensors(
  source: GgufSource,
  tensors: readonly GgufTensor[],
  family: GgufFamily,
  config: ModelConfig,
): StoredTensors {
  const opened = new Map<string, StoredTensor>();
  for (const tensor of tensors) {
    if (tensor.name === ROPE_FACTORS) continue;
    const name = toHuggingFaceName(family, tensor.name);
    if (name === undefined || opened.has(name))
      throw new FileFormatError(
        "FIL-1",
        source.file,
        `the tensor ${JSON.stringify(tensor.name)} is not part of a ${family.name} model.`,
      );
    opened.set(name, openTensor(source, tensor, name, { family, config }));
  }
  return opened;
}

function openTensor(
  source: GgufSource,
  tensor: GgufTensor,
  name: string,
  { family, config }: { family: GgufFamily; config: ModelConfig },
): StoredTensor {
  if (family.isGemma && name.endsWith("norm.weight")) return openGain(source, tensor);
  const part = /\.(q|k)_proj\.(weight|bias)$/.exec(name)?.[1];
  if (!family.hasInterleavedRows || part === undefined) return openRows(source, tensor, null);
  const heads = part === "q" ? config.heads : config.keyValueHeads;
  checkHeads(source.file, tensor, heads * config.headDim);
  checkMovable(source.file, tensor);
  return openRows(source, tensor, config.headDim);
}

/** Rows of a tensor in the order of the file, or with those of each head of so many rows put back. */
function openRows(source: GgufSource, tensor: GgufTensor, headDim: number | null): StoredTensor {
  const { shape, type, begin, end } = tensor;
  const [rowCount = 1, ...others] = shape;
  const rowBytes = (end - begin) / rowCount;
  const read = async (): Promise<Uint8Array> => {
    const bytes = await readTensor(source, tensor);
    return headDim === null ? bytes : separateRows(bytes, { heads: rowCount / headDim, headDim });
  };
  const rows = (first: number, last: number): StoredTensor => {
    const [from, to] = [Math.max(0, first), Math.min(rowCount, last)];
    if (from >= to) throw new RangeError(`rows ${first} to ${last} are not among ${rowCount}`);
    // Whole heads are read, so that their rows can be put back.
    const group = headDim ?? 1;
    const [groupsFrom, groupsTo] = [Math.floor(from / group) * group, Math.ceil(to / group) * group];
    const part = {
      ...tensor,
      shape: [groupsTo - groupsFrom, ...others],
      begin: begin + groupsFrom * rowBytes,
      end: begin + groupsTo * rowBytes,
    };
    const opened = openRows(source, part, headDim);
    const readPart = async () =>
      (await opened.read()).subarray((from - groupsFrom) * rowBytes, (to - groupsFrom) * rowBytes);
    return stored([to - from, ...others], type, (to - from) * rowBytes, readPart);
  };
  const whole = stored(shape, type, end - begin, read);
  // Blocks of a vector may be larger than one of its values.
  return others.length === 0 ? whole : { ...whole, rows };
}

function stored(
  shape: readonly number[],
  type: GgufTensor["type"],
  bytes: number,
  read: () => Promise<Uint8Array>,
): StoredTensor {
  return { shape, type, bytes, read, values: async () => dequantize(type, await read()) };
}

function checkHeads(file: string, { name, shape }: GgufTensor, rows: number): void {
  if (shape[0] === rows) return;
  throw new FileFormatError(
    "FIL-1",
    file,
    `the tensor ${JSON.stringify(name)} has ${shape[0]} rows, its heads ask for ${rows}.`,
  );
}

/** Values of a vector cannot move where a block holds several of them. */
function checkMovable(file: string, { name, shape, type }: GgufTensor): void {
  if (shape.length > 1 || ggufTypes[type].weights === 1) return;
  throw new FileFormatError(
    "FIL-1",
    file,
    `the vector ${JSON.stringify(name)} is stored as ${type}, expected F32, F16 or BF16.`,
  );
}

/** A norm's gain as Gemma's own files hold it: less the 1 that was added. */
function openGain(source: GgufSource, tensor: GgufTensor): StoredTensor {
  const values = async () => {
    const stored = dequantize(tensor.type, await readTensor(source, tensor));
    return stored.map((value) => value - 1);
  };
  const read = async () => {
    const gains = await values();
    const bytes = new Uint8Array(4 * gains.length);
    const view = new DataView(bytes.buffer);
    gains.forEach((gain, index) => view.setFloat32(4 * index, gain, true));
    return bytes;
  };
  const bytes = 4 * tensor.shape.reduce((product, size) => product * size, 1);
  return { shape: tensor.shape, type: "F32", bytes, read, values };
}
