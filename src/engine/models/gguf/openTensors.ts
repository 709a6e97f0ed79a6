/** Tensors of a GGUF file as Hugging Face names and lays them out: what the converter did is undone. */
import { readRange, sizeOf, type FileBytes } from "../../files/fileBytes.ts";
import { FileFormatError, incompleteFile } from "../../files/fileFormatError.ts";
import type { GgufTensor } from "../../files/gguf/header.ts";
import { dequantize } from "../../files/gguf/tensorTypes.ts";
import type { ModelConfig } from "../config.ts";
import type { StoredTensor, StoredTensors } from "../storedTensors.ts";
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
  const { shape, type, begin, end } = tensor;
  let read = () => readTensor(source, tensor);
  const part = /\.(q|k)_proj\.(weight|bias)$/.exec(name)?.[1];
  if (family.hasInterleavedRows && part !== undefined) {
    const heads = part === "q" ? config.heads : config.keyValueHeads;
    checkHeads(source.file, tensor, heads * config.headDim);
    read = async () => separateRows(await readTensor(source, tensor), { heads, headDim: config.headDim });
  }
  return { shape, type, bytes: end - begin, read, values: async () => dequantize(type, await read()) };
}

function checkHeads(file: string, { name, shape }: GgufTensor, rows: number): void {
  if (shape[0] === rows) return;
  throw new FileFormatError(
    "FIL-1",
    file,
    `the tensor ${JSON.stringify(name)} has ${shape[0]} rows, its heads ask for ${rows}.`,
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
