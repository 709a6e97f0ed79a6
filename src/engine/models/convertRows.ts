/** From rows as a file stores them to words as the device reads them. */
import { FileFormatError } from "../files/fileFormatError.ts";
import type { StoredTensor, StoredType } from "../files/storedTensors.ts";
import { repackQ4_0, repackQ4_1, repackQ8_0 } from "../kernels/weightLayout/repack.ts";
import {
  packHalves,
  packRows,
  unpackRow,
  wordsPerRow,
  type MatrixShape,
  type WeightLayout,
} from "../kernels/weightLayout/weightLayout.ts";
import type { BaseWeights } from "../training/config.ts";
import type { RoundingMeter } from "./weightReport.ts";

/** Values that are decoded at once: small beside any matrix that matters, large beside the cost of a read. */
const VALUES_AT_ONCE = 1 << 22;
/** Longest that converting keeps other tasks waiting, such as messages and signs of life. */
const LONGEST_TURN_MS = 50;

/** The layout that a matrix gets: its own where it is kept, if the device reads it; 16-bit floats for other blocks. */
export function layoutFor(weights: BaseWeights, type: StoredType): WeightLayout {
  if (weights !== "keep") return weights === "q4" ? "q4m" : weights;
  switch (type) {
    case "F32":
    case "F64":
      return "f32";
    case "BF16":
      return "bf16";
    case "Q8_0":
      return "q8";
    case "Q4_0":
      return "q4s";
    case "Q4_1":
      return "q4m";
    case "F16":
    case "Q5_0":
    case "Q5_1":
    case "Q4_K":
    case "Q5_K":
    case "Q6_K":
      return "f16";
  }
}

/** Rows of a tensor whose bytes are the layout's own, but for their order; null where values must be decoded. */
function repackerOf(
  type: StoredType,
  layout: WeightLayout,
): ((bytes: Uint8Array, shape: MatrixShape) => Uint32Array) | null {
  switch (`${type} ${layout}`) {
    case "F32 f32":
      return (bytes) => new Uint32Array(aligned(bytes).buffer);
    case "F16 f16":
    case "BF16 bf16":
      return (bytes, shape) => packHalves(new Uint16Array(aligned(bytes).buffer), shape);
    case "Q8_0 q8":
      return repackQ8_0;
    case "Q4_0 q4s":
      return repackQ4_0;
    case "Q4_1 q4m":
      return repackQ4_1;
    default:
      return null;
  }
}

/** The bytes at the beginning of a buffer of their own. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset === 0 && bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/** Lets other tasks have their turn now and then, and ends when it is told to. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #startedMs = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Throws the signal's reason when it was aborted. */
  async next(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#startedMs < LONGEST_TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#startedMs = performance.now();
    this.#signal?.throwIfAborted();
  }
}

/** A parameter in a file, the layout that it gets, and who watches the conversion. */
export interface Conversion {
  readonly name: string;
  readonly tensor: StoredTensor;
  readonly layout: WeightLayout;
  /** Name of the file, for refusals. */
  readonly file: string;
  readonly meter: RoundingMeter;
  readonly turns: Turns;
}

/**
 * Reads the rows from `first` up to `end`, a few at a time where the file gives them alone, and writes their words
 * [rows * wordsPerRow] into `into`. A vector is one row. Throws `FileFormatError` for a value that the layout cannot hold.
 */
export async function convertRows(
  conversion: Conversion,
  { first, end }: { readonly first: number; readonly end: number },
  into: Uint32Array,
): Promise<void> {
  const { tensor, layout, turns } = conversion;
  const [outputs = 0, inputs] = tensor.shape;
  const width = inputs ?? outputs;
  const words = wordsPerRow(layout, width);
  const step = Math.max(1, Math.floor(VALUES_AT_ONCE / Math.max(1, width)));
  const source = await openRows(conversion);
  for (let row = first; row < end; row += step) {
    const last = Math.min(row + step, end);
    const packed = await source(row, last);
    into.set(packed, (row - first) * words);
    await turns.next();
  }
}

/** Gives the words of some rows. */
type RowSource = (first: number, end: number) => Promise<Uint32Array>;

async function openRows(conversion: Conversion): Promise<RowSource> {
  const { tensor, layout } = conversion;
  const [outputs = 0, inputs] = tensor.shape;
  const width = inputs ?? outputs;
  const rows = inputs === undefined ? 1 : outputs;
  const repack = repackerOf(tensor.type, layout);
  // What a file does not give row by row is read once.
  const some = inputs === undefined ? undefined : tensor.rows?.bind(tensor);
  if (repack !== null) {
    const whole = some === undefined ? await tensor.read() : new Uint8Array();
    const rowBytes = tensor.bytes / rows;
    return async (first, end) =>
      repack((await some?.(first, end).read()) ?? whole.subarray(first * rowBytes, end * rowBytes), [
        end - first,
        width,
      ]);
  }
  const whole = some === undefined ? await tensor.values() : new Float32Array();
  return async (first, end) =>
    rounded(
      (await some?.(first, end).values()) ?? whole.subarray(first * width, end * width),
      [end - first, width],
      conversion,
    );
}

/** Packs values and measures what that changes. */
function rounded(values: Float32Array, shape: MatrixShape, conversion: Conversion): Uint32Array {
  const { name, layout, file, meter } = conversion;
  const packed = packRows(values, shape, layout);
  if (layout === "f32") return packed;
  const [rows, width] = shape;
  let [error, square] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const unpacked = unpackRow(packed, row, width, layout);
    const from = row * width;
    for (let index = 0; index < width; index++) {
      const value = values[from + index]!;
      error += (unpacked[index]! - value) ** 2;
      square += value ** 2;
    }
  }
  if (!Number.isFinite(error)) refuseValue(values, { name, layout, file });
  meter.add(name, { error, square });
  return packed;
}

function refuseValue(
  values: Float32Array,
  { name, layout, file }: Pick<Conversion, "name" | "layout" | "file">,
): never {
  let largest = 0;
  for (const value of values) {
    if (!(Math.abs(value) <= Math.abs(largest))) largest = value;
    if (Number.isNaN(value)) break;
  }
  throw new FileFormatError(
    "FIL-1",
    file,
    `"${name}" holds the value ${largest}, which ${layout} cannot: load the weights as f32, or as the file has them.`,
  );
}
