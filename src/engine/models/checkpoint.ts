/** From what a checkpoint calls and stores its parameters to the decoder's names and layout, and back. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { transposed } from "../files/transposed.ts";
import type { NamedArray } from "../files/safetensors.ts";
import type { StoredTensor, StoredTensors } from "../files/storedTensors.ts";
import type { CheckpointLayout } from "./architectures/architecture.ts";
import { architectureOf } from "./architectures/index.ts";
import type { ModelConfig } from "./config.ts";
import { expectedShapes } from "./parameterNames.ts";

/** Tensors by name, of which only the shapes matter here. */
type Shaped<Tensor extends Pick<NamedArray, "shape">> = ReadonlyMap<string, Tensor>;

/** Parameters by name. */
export type NamedArrays = ReadonlyMap<string, NamedArray>;

/** Masks and frequencies that older files store beside the parameters. */
const BUFFER = /(\.rotary_emb\.inv_freq|\.(attn|attention)\.(masked_)?bias)$/;

const PARTS = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];

/** Where a parameter of the decoder lies in the checkpoint. */
export interface Place {
  readonly name: string;
  /** Row of the stored parameter by row of the decoder's; null where they are the same. */
  readonly rowOf: ((row: number) => number) | null;
  /** Rows of the stored parameter. */
  readonly rows: number;
}

function moduleOf(name: string): { module: string; kind: string } {
  const dot = name.lastIndexOf(".");
  return { module: name.slice(0, dot), kind: name.slice(dot + 1) };
}

/** Row of the fused linear that holds `row` of its member `part`: 0 queries, 1 keys, 2 values. */
function fusedRow(
  order: CheckpointLayout["fused"]["order"],
  { heads, headDim }: ModelConfig,
  part: number,
): (row: number) => number {
  const width = heads * headDim;
  if (order === "parts") return (row) => part * width + row;
  const count = PARTS.length;
  return (row) => (Math.floor(row / headDim) * count + part) * headDim + (row % headDim);
}

/** Where the checkpoint keeps the linear, norm or embedding `module` of the decoder, which has `rows` rows. */
export function placeOf(config: ModelConfig, module: string, rows: number): Place {
  const layout = architectureOf(config).checkpoint;
  if (layout === undefined) return { name: module, rowOf: null, rows };
  const inLayer = /^model\.layers\.(\d+)\.(.+)$/.exec(module);
  const own = inLayer?.[2] ?? module;
  const within = inLayer === null ? "" : `${layout.layers}.${inLayer[1]}.`;
  const part = PARTS.indexOf(own);
  if (part >= 0) {
    const rowOf = fusedRow(layout.fused.order, config, part);
    return { name: within + layout.fused.module, rowOf, rows: PARTS.length * rows };
  }
  return { name: within + (layout.names[own] ?? own), rowOf: null, rows };
}

/** The rows `rowOf(0)`, `rowOf(1)`, … of `width` elements each into `taken`. */
function takeRows<Elements extends Float32Array | Uint8Array>(
  elements: Elements,
  taken: Elements,
  { width, rowOf }: { readonly width: number; readonly rowOf: (row: number) => number },
): Elements {
  for (let row = 0; row < taken.length / width; row++) {
    const from = rowOf(row) * width;
    taken.set(elements.subarray(from, from + width), row * width);
  }
  return taken;
}

/** What must be done to a stored parameter besides taking its rows. */
export function storageOf(config: ModelConfig, name: string) {
  const { checkpoint, hasGainsAboutZero } = architectureOf(config);
  const { module, kind } = moduleOf(name);
  return {
    isTransposed: checkpoint?.hasTransposedLinears === true && kind === "weight" && module.endsWith("_proj"),
    // Gemma multiplies by 1 + w.
    added: hasGainsAboutZero === true && kind === "weight" && module.endsWith("norm") ? 1 : 0,
  };
}

/** Shape of a parameter in the checkpoint, with its name there. */
function storedShape(config: ModelConfig, name: string, shape: readonly number[]): [string, number[]] {
  const { module, kind } = moduleOf(name);
  const [rows = 0, ...others] = shape;
  const place = placeOf(config, module, rows);
  const stored = [place.rows, ...others];
  return [`${place.name}.${kind}`, storageOf(config, name).isTransposed ? stored.toReversed() : stored];
}

/** Shapes of every parameter by the checkpoint's name. */
export function checkpointShapes(config: ModelConfig): Map<string, number[]> {
  return new Map([...expectedShapes(config)].map(([name, shape]) => storedShape(config, name, shape)));
}

/** Names with the prefix that some files leave out. */
export function withPrefix<Each extends Pick<NamedArray, "shape">>(
  config: ModelConfig,
  arrays: Shaped<Each>,
): Shaped<Each> {
  const layout = architectureOf(config).checkpoint;
  if (layout === undefined) return arrays;
  const first = `${layout.layers}.0.`;
  if ([...arrays.keys()].some((name) => name.startsWith(first))) return arrays;
  const isWhole = (name: string) => name.startsWith(`${layout.names["lm_head"]}.`);
  return new Map([...arrays].map(([name, array]) => [isWhole(name) ? name : layout.prefix + name, array]));
}

/**
 * Checks the arrays of a checkpoint and gives them by the decoder's names, each converted when it is asked for.
 * Throws `FileFormatError` for missing, extra and misshapen parameters, by name and with both shapes.
 */
export function openCheckpoint(
  config: ModelConfig,
  stored: NamedArrays,
  file: string,
): Pick<NamedArrays, "get"> {
  const arrays = withPrefix(config, stored);
  checkCheckpoint(config, arrays, file);
  const shapes = expectedShapes(config);
  return {
    get: (name) => {
      const shape = shapes.get(name);
      if (shape === undefined) return undefined;
      const way = wayOf(config, name, shape);
      const array = arrays.get(way.storedName);
      return array === undefined ? undefined : { shape, values: converted(array.values, way) };
    },
  };
}

/** The same of tensors that are still in their files: only names and shapes are looked at, nothing is read. */
export function openStoredCheckpoint(
  config: ModelConfig,
  stored: StoredTensors,
  file: string,
): Map<string, StoredTensor> {
  const tensors = withPrefix(config, stored);
  checkCheckpoint(config, tensors, file);
  const opened = new Map<string, StoredTensor>();
  for (const [name, shape] of expectedShapes(config)) {
    const way = wayOf(config, name, shape);
    const tensor = tensors.get(way.storedName);
    if (tensor !== undefined) opened.set(name, partOf(tensor, way));
  }
  return opened;
}

function checkCheckpoint(config: ModelConfig, arrays: Shaped<Pick<NamedArray, "shape">>, file: string): void {
  const refuse = (reason: string): never => {
    throw new FileFormatError("FIL-1", file, reason);
  };
  const expected = checkpointShapes(config);
  for (const [name, shape] of expected) {
    const found = arrays.get(name);
    if (found === undefined) refuse(`the weight "${name}" is missing.`);
    else if (found.shape.join() !== shape.join()) {
      refuse(`"${name}" has shape [${found.shape.join(", ")}], config.json asks for [${shape.join(", ")}].`);
    }
  }
  const head = `${placeOf(config, "lm_head", config.vocabularySize).name}.weight`;
  for (const name of arrays.keys()) {
    const isTiedCopy = name === head && config.hasTiedEmbeddings;
    if (!expected.has(name) && !isTiedCopy && !BUFFER.test(name)) {
      refuse(`the weight "${name}" is not part of a ${config.architecture} model.`);
    }
  }
}

/** From a stored parameter to the decoder's. */
interface Way extends Pick<Place, "rowOf"> {
  readonly storedName: string;
  readonly shape: readonly number[];
  readonly storedRows: number;
  readonly isTransposed: boolean;
  /** Added to every value. */
  readonly added: number;
}

function wayOf(config: ModelConfig, name: string, shape: readonly number[]): Way {
  const { module, kind } = moduleOf(name);
  const place = placeOf(config, module, shape[0] ?? 0);
  const storedName = `${place.name}.${kind}`;
  return { storedName, shape, rowOf: place.rowOf, storedRows: place.rows, ...storageOf(config, name) };
}

function converted(
  stored: Float32Array,
  { shape, storedRows, isTransposed, rowOf, added }: Way,
): Float32Array {
  const [rows = 0, columns = 1] = shape;
  let values = stored;
  if (isTransposed) values = transposed(values, columns, storedRows);
  if (rowOf !== null) values = takeRows(values, new Float32Array(rows * columns), { width: columns, rowOf });
  if (added !== 0) values = values.map((value) => value + added);
  return values;
}

/** The decoder's parameter, read from a stored one whenever it is asked for. */
function partOf(tensor: StoredTensor, way: Way): StoredTensor {
  const { shape, storedRows, isTransposed, rowOf, added } = way;
  if (!isTransposed && rowOf === null && added === 0) return tensor;
  const [rows = 0, columns = 1] = shape;
  const values = async () => converted(await tensor.values(), way);
  const bytes = (tensor.bytes / storedRows) * rows;
  const isHalf = tensor.type === "F16" || tensor.type === "BF16";
  if (added !== 0 || (isTransposed && !isHalf)) {
    const read = async () => new Uint8Array((await values()).buffer);
    return { shape, type: "F32", bytes: Float32Array.BYTES_PER_ELEMENT * rows * columns, read, values };
  }
  // Whole rows move, so that what is stored in blocks stays as it is.
  const read = async () => {
    const stored = await tensor.read();
    const turned = isTransposed ? transposedHalves(stored, columns, storedRows) : stored;
    const width = tensor.bytes / storedRows;
    return rowOf === null ? turned : takeRows(turned, new Uint8Array(bytes), { width, rowOf });
  };
  return { shape, type: tensor.type, bytes, read, values };
}

/** The bytes of a matrix [rows, columns] of 16-bit elements as those of [columns, rows]. */
function transposedHalves(bytes: Uint8Array, rows: number, columns: number): Uint8Array {
  const halves = new Uint16Array(bytes.slice().buffer);
  const result = new Uint16Array(halves.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = halves[row * columns + column]!;
  return new Uint8Array(result.buffer);
}

/** All parameters of a model by the checkpoint's names and in its layout: the inverse of `openCheckpoint`. */
export function toCheckpoint(config: ModelConfig, arrays: NamedArrays): Map<string, NamedArray> {
  const stored = new Map<string, NamedArray>();
  const transposedNames = new Set<string>();
  for (const [name, { shape, values }] of arrays) {
    const { module, kind } = moduleOf(name);
    const [rows = 0, ...others] = shape;
    const [columns = 1] = others;
    const place = placeOf(config, module, rows);
    const { added, isTransposed } = storageOf(config, name);
    const storedName = `${place.name}.${kind}`;
    const whole = stored.get(storedName)?.values ?? new Float32Array(place.rows * columns);
    for (let row = 0; row < rows; row++) {
      const to = (place.rowOf?.(row) ?? row) * columns;
      for (let column = 0; column < columns; column++) {
        whole[to + column] = (values[row * columns + column] ?? 0) - added;
      }
    }
    stored.set(storedName, { shape: [place.rows, ...others], values: whole });
    if (isTransposed) transposedNames.add(storedName);
  }
  for (const name of transposedNames) {
    const { shape, values } = stored.get(name) ?? { shape: [], values: new Float32Array() };
    const [outputs = 0, inputs = 0] = shape;
    stored.set(name, { shape: [inputs, outputs], values: transposed(values, outputs, inputs) });
  }
  return stored;
}
