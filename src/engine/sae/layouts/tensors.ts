/** The five arrays of an autoencoder, from whatever holds them. */
import { readRange, sizeOf } from "../../files/fileBytes.ts";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { openNpz } from "../../files/npz.ts";
import { readSafetensors, type NamedArray } from "../../files/safetensors.ts";
import { transposed } from "../../files/transposed.ts";
import type { SaeArrays, SaeFile } from "./layout.ts";

/** A file of arrays, each read when it is asked for. */
export interface TensorFile {
  readonly file: string;
  readonly names: readonly string[];
  readonly read: (name: string) => Promise<NamedArray>;
}

/** Sizes that arrays must have, and who says so. */
export interface SaeSizes {
  readonly inputSize: number;
  readonly width: number;
  readonly source: string;
}

/** The arrays before anything is folded in. */
export type RawArrays = Pick<
  SaeArrays,
  "inputSize" | "width" | "encoder" | "bias" | "threshold" | "decoder" | "decoderBias"
>;

/** Which arrays there have to be. */
export interface WantedArrays {
  /** Null reads the sizes off the encoder. */
  readonly sizes: SaeSizes | null;
  /** Name of the thresholds, one for each feature or one for all; null where the features are plain ReLUs. */
  readonly threshold: string | null;
  readonly needsDecoder: boolean;
  readonly needsDecoderBias: boolean;
  /** What else may be there and changes nothing. */
  readonly ignored?: readonly string[];
}

const MATRIX = /^[wW]_(enc|dec)$/;

/** Opens a safetensors file. */
export async function openSafetensors({ name, bytes }: SaeFile): Promise<TensorFile> {
  const tensors = readSafetensors(await readRange(bytes, 0, sizeOf(bytes)), name);
  return {
    file: name,
    names: [...tensors.keys()],
    read: async (key) =>
      tensors.get(key) ?? Promise.reject(new FileFormatError("FIL-1", name, `the tensor ${key} is missing.`)),
  };
}

/** Opens an archive of arrays, of which only the directory is read. */
export async function openArrays({ name, bytes }: SaeFile): Promise<TensorFile> {
  return { file: name, ...(await openNpz(bytes, name)) };
}

/** Refuses arrays that would change what is computed, and matrices under both of their spellings. */
function checkNames({ file, names }: TensorFile, { threshold, ignored = [] }: WantedArrays): void {
  const known = new Set(["b_enc", "b_dec", threshold, ...ignored]);
  const unknown = names.find((name) => !known.has(name) && !MATRIX.test(name));
  if (unknown !== undefined)
    throw new FileFormatError(
      "FIL-1",
      file,
      `holds ${JSON.stringify(unknown)}, whose effect is not computed.`,
    );
  const twice = names.find(
    (name) => MATRIX.test(name) && name.startsWith("w") && names.includes(`W${name.slice(1)}`),
  );
  if (twice !== undefined) throw new FileFormatError("FIL-1", file, `holds ${twice} in both spellings.`);
}

/** The array of a name that may be spelled with a small letter. */
async function arrayOf({ file, names, read }: TensorFile, name: string): Promise<NamedArray> {
  const spelled = [name, `${name.charAt(0).toLowerCase()}${name.slice(1)}`].find((each) =>
    names.includes(each),
  );
  if (spelled === undefined) throw new FileFormatError("FIL-1", file, `the tensor ${name} is missing.`);
  return read(spelled);
}

async function valuesOf(
  tensors: TensorFile,
  name: string,
  { wanted, source }: { readonly wanted: readonly number[]; readonly source: string },
): Promise<Float32Array> {
  const { shape, values } = await arrayOf(tensors, name);
  if (shape.join() === wanted.join()) return values;
  throw new FileFormatError(
    "FIL-1",
    tensors.file,
    `${name} has the shape [${shape.join(", ")}], and ${source} asks for [${wanted.join(", ")}].`,
  );
}

async function sizesOfEncoder(tensors: TensorFile): Promise<SaeSizes & { readonly encoder: Float32Array }> {
  const { shape, values } = await arrayOf(tensors, "W_enc");
  const [inputSize = 0, width = 0] = shape;
  if (shape.length !== 2 || inputSize * width === 0)
    throw new FileFormatError(
      "FIL-1",
      tensors.file,
      `W_enc has the shape [${shape.join(", ")}], expected one of two sizes above 0.`,
    );
  return { inputSize, width, source: "W_enc", encoder: values };
}

/** Thresholds [width], of which a file may hold a single one for all. */
async function thresholdsOf(tensors: TensorFile, name: string, sizes: SaeSizes): Promise<Float32Array> {
  const { shape, values } = await arrayOf(tensors, name);
  if (shape.length === 0 && values.length === 1) return new Float32Array(sizes.width).fill(values[0]!);
  return valuesOf(tensors, name, { wanted: [sizes.width], source: sizes.source });
}

/** Reads the arrays of an autoencoder; throws `FileFormatError` for what is missing, unknown or of another shape. */
export async function readTensors(tensors: TensorFile, wanted: WantedArrays): Promise<RawArrays> {
  checkNames(tensors, wanted);
  const { threshold, needsDecoder, needsDecoderBias } = wanted;
  const own = wanted.sizes === null ? await sizesOfEncoder(tensors) : null;
  const sizes = wanted.sizes ?? own!;
  const { inputSize, width, source } = sizes;
  const values = (name: string, shape: readonly number[]) =>
    valuesOf(tensors, name, { wanted: shape, source });
  const published = own?.encoder ?? (await values("W_enc", [inputSize, width]));
  return {
    inputSize,
    width,
    encoder: transposed(published, inputSize, width),
    bias: await values("b_enc", [width]),
    threshold: threshold === null ? new Float32Array(width) : await thresholdsOf(tensors, threshold, sizes),
    decoder: needsDecoder ? await values("W_dec", [width, inputSize]) : null,
    decoderBias: needsDecoder || needsDecoderBias ? await values("b_dec", [inputSize]) : null,
  };
}
