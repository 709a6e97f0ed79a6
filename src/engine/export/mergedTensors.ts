/** A model's files with a run's change in them, tensor by tensor: nothing is computed before it is asked for. */
import { FileFormatError } from "../files/fileFormatError.ts";
import type { NamedArray } from "../files/safetensors.ts";
import type { StoredTensor, StoredTensors, StoredType } from "../files/storedTensors.ts";
import { floatToBrain, floatToHalf } from "../kernels/weightLayout/half.ts";
import { checkpointShapes, placeOf, storageOf, withPrefix } from "../models/checkpoint.ts";
import type { ModelConfig } from "../models/config.ts";
import type { AdapterSum, HostAdapter } from "../models/hostAdapter.ts";

/** What is different from the base. */
export interface ModelChange {
  /** Added to the linears: by the decoder's modules, every scale within B. */
  readonly sum: AdapterSum;
  /** Takes the place of the base's values: by the checkpoint's names and in its layout. */
  readonly replaced: ReadonlyMap<string, NamedArray>;
}

/** Types that merged files have; anything coarser is written as F16. */
export type MergedType = "F32" | "F16" | "BF16";

/** Whether a base is stored in blocks of few bits, so that its merge is one of the dequantised weights. */
export function isQuantised(tensors: StoredTensors): boolean {
  return [...tensors.values()].some(({ type }) => !plainTypes.has(type));
}

const plainTypes: ReadonlySet<StoredType> = new Set(["F32", "F16", "BF16", "F64"]);
const bytesPerValue: Readonly<Record<MergedType, number>> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Every tensor that the model needs by the checkpoint's names, W + s·B·A where there is an adapter: summed in 32 bits and
 * cast once to the file's own type, or of a quantised base to F16. What no model of this kind has, and a tied head, is
 * left out. Throws `FileFormatError` for a missing tensor at once, and for a value beyond F16 when it is read.
 */
export function mergedTensors(
  config: ModelConfig,
  base: StoredTensors,
  { sum, replaced }: ModelChange,
): Map<string, StoredTensor & { readonly type: MergedType }> {
  const tensors = withPrefix(config, base);
  const isCoarse = isQuantised(base);
  const added = addedTo(config, sum);
  const merged = new Map<string, StoredTensor & { readonly type: MergedType }>();
  for (const [name, shape] of checkpointShapes(config)) {
    const own = tensors.get(name);
    if (own === undefined) throw new FileFormatError("FIL-1", "model", `the weight "${name}" is missing.`);
    const parts = added.get(name) ?? [];
    const type = isCoarse ? "F16" : mergedType(own.type);
    const values = async (): Promise<Float32Array> => {
      const before = replaced.get(name)?.values ?? (await own.values());
      if (parts.length === 0) return before;
      const sums = Float32Array.from(before);
      for (const part of parts) addProduct(sums, part);
      return sums;
    };
    const isOwn = type === own.type && parts.length === 0 && !replaced.has(name);
    const count = shape.reduce((product, size) => product * size, 1);
    merged.set(name, {
      shape,
      type,
      bytes: count * bytesPerValue[type],
      values,
      read: isOwn ? own.read : async () => cast(await values(), type, name),
    });
  }
  return merged;
}

function mergedType(type: StoredType): MergedType {
  return type === "F16" || type === "BF16" ? type : "F32";
}

/** An adapter's share of a stored matrix. */
interface Added {
  readonly adapter: HostAdapter;
  /** Row of the stored matrix by row of the adapter's. */
  readonly rowOf: (row: number) => number;
  /** Rows of the stored matrix before it was turned. */
  readonly rows: number;
  /** The stored matrix is [in, out]. */
  readonly isTransposed: boolean;
}

function addedTo(config: ModelConfig, sum: AdapterSum): Map<string, Added[]> {
  const added = new Map<string, Added[]>();
  for (const [module, adapter] of sum) {
    const place = placeOf(config, module, adapter.outputs);
    const { isTransposed } = storageOf(config, `${module}.weight`);
    const part = { adapter, rowOf: place.rowOf ?? ((row: number) => row), rows: place.rows, isTransposed };
    const name = `${place.name}.weight`;
    added.set(name, [...(added.get(name) ?? []), part]);
  }
  return added;
}

/** values += B·A, each entry summed in 64 bits. values [rows, in], or turned. */
function addProduct(values: Float32Array, { adapter, rowOf, rows, isTransposed }: Added): void {
  const { a, b, rank, inputs, outputs } = adapter;
  const product = new Float64Array(inputs);
  for (let row = 0; row < outputs; row++) {
    product.fill(0);
    for (let each = 0; each < rank; each++) {
      const factor = b[row * rank + each]!;
      const from = each * inputs;
      for (let column = 0; column < inputs; column++) product[column]! += factor * a[from + column]!;
    }
    const [first, step] = isTransposed ? [rowOf(row), rows] : [rowOf(row) * inputs, 1];
    for (let column = 0; column < inputs; column++) values[first + column * step]! += product[column]!;
  }
}

/** Bytes of values in a type, as this machine orders them: little-endian everywhere that has a GPU. */
function cast(values: Float32Array, type: MergedType, name: string): Uint8Array {
  if (type === "F32") return new Uint8Array(values.slice().buffer);
  const halves = new Uint16Array(values.length);
  if (type === "BF16") {
    for (let index = 0; index < halves.length; index++) halves[index] = floatToBrain(values[index]!);
    return new Uint8Array(halves.buffer);
  }
  for (let index = 0; index < halves.length; index++) {
    const bits = floatToHalf(values[index]!);
    if ((bits & INFINITE_HALF) === INFINITE_HALF) refuseHalf(name, values[index]!);
    halves[index] = bits;
  }
  return new Uint8Array(halves.buffer);
}

const INFINITE_HALF = 0x7c00;

function refuseHalf(name: string, value: number): never {
  throw new FileFormatError(
    "FIL-1",
    "model",
    `"${name}" holds ${value}, which 16-bit floats cannot: save the adapter alone.`,
  );
}
