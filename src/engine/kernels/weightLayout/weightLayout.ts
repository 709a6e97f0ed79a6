/**
 * How frozen weights lie in memory: a matrix [rows, inputs] is `rows` runs of 32-bit words, each complete in itself, so
 * that stacking matrices by rows is concatenation. A run holds the values first and then the scales of its groups:
 *
 * | layout | values of a row                  | scales of a row           | value          |
 * | ------ | -------------------------------- | ------------------------- | -------------- |
 * | `f32`  | one float a word                 | –                         | w              |
 * | `f16`  | two binary16 a word              | –                         | w              |
 * | `bf16` | two bfloat16 a word              | –                         | w              |
 * | `q8`   | four signed bytes a word         | f16 s per 32, two a word  | c · s          |
 * | `q4s`  | eight nibbles a word             | f16 s per 32, two a word  | (n − 8) · s    |
 * | `q4m`  | eight nibbles a word             | (f16 s, f16 m) a word     | n · s + m      |
 *
 * Within a word the first value has the lowest bits. An odd row of 16-bit floats ends in a zero, and a quantised row is
 * filled up with zero codes to whole groups of 32; nobody reads what lies past `inputs`.
 */
import { halfToFloat, brainToFloat, floatToBrain, floatToHalf } from "./half.ts";
import { quantizeGroup } from "./quantize.ts";

/** Every layout, from the largest to the smallest. */
export const weightLayouts = ["f32", "f16", "bf16", "q8", "q4m", "q4s"] as const;

/** How the values of a frozen weight are stored. */
export type WeightLayout = (typeof weightLayouts)[number];

/** Layouts with a scale per group of values. */
export type QuantizedLayout = "q8" | "q4s" | "q4m";

/** Values that share a scale. */
export const groupSize = 32;

/** Sizes of a matrix: outputs, then inputs. */
export type MatrixShape = readonly [rows: number, inputs: number];

/** Whether the values of a layout have scales. */
export function isQuantized(layout: WeightLayout): layout is QuantizedLayout {
  return layout === "q8" || layout === "q4s" || layout === "q4m";
}

/** Words of a row that hold values, without the scales after them. */
export function codeWordsPerRow(layout: WeightLayout, inputs: number): number {
  switch (layout) {
    case "f32":
      return inputs;
    case "f16":
    case "bf16":
      return Math.ceil(inputs / 2);
    case "q8":
      return Math.ceil(inputs / groupSize) * 8;
    case "q4s":
    case "q4m":
      return Math.ceil(inputs / groupSize) * 4;
  }
}

/** 32-bit words of one row of `inputs` values. */
export function wordsPerRow(layout: WeightLayout, inputs: number): number {
  const groups = Math.ceil(inputs / groupSize);
  const codes = codeWordsPerRow(layout, inputs);
  if (!isQuantized(layout)) return codes;
  return codes + (layout === "q4m" ? groups : Math.ceil(groups / 2));
}

/** Bytes of one row of `inputs` values. */
export function bytesPerRow(layout: WeightLayout, inputs: number): number {
  return 4 * wordsPerRow(layout, inputs);
}

/**
 * Packs a matrix, rounding or quantising it: values [rows * inputs] -> words [rows * wordsPerRow]. Groups are quantised
 * as GGUF's Q8_0, Q4_0 and Q4_1 are; the last group of a row counts its real values only.
 */
export function packRows(
  values: Float32Array | Float64Array,
  [rows, inputs]: MatrixShape,
  layout: WeightLayout,
): Uint32Array {
  if (values.length !== rows * inputs) {
    throw new RangeError(`${values.length} values do not fill ${rows} rows of ${inputs}`);
  }
  if (layout === "f32") return new Uint32Array(Float32Array.from(values).buffer);
  if (layout === "f16" || layout === "bf16") {
    const encode = layout === "f16" ? floatToHalf : floatToBrain;
    const halves = new Uint16Array(values.length);
    for (let index = 0; index < halves.length; index++) halves[index] = encode(values[index]!);
    return packHalves(halves, [rows, inputs]);
  }
  const packed = new Uint32Array(rows * wordsPerRow(layout, inputs));
  const row = new GroupWriter(packed, layout, inputs);
  const codes = new Int8Array(groupSize);
  for (let r = 0; r < rows; r++) {
    for (let start = 0, group = 0; start < inputs; start += groupSize, group++) {
      const from = r * inputs + start;
      const length = Math.min(groupSize, inputs - start);
      const range = { values, start: from, end: from + length };
      const { scale, minimum } = quantizeGroup(range, layout, codes);
      codes.fill(0, length);
      row.write(r, group, { codes, scale: floatToHalf(scale), minimum: floatToHalf(minimum) });
    }
  }
  return packed;
}

/** Packs a matrix of 16-bit patterns (binary16 or bfloat16) without a conversion; rows of odd length get a zero. */
export function packHalves(halves: Uint16Array, [rows, inputs]: MatrixShape): Uint32Array {
  if (halves.length !== rows * inputs) {
    throw new RangeError(`${halves.length} values do not fill ${rows} rows of ${inputs}`);
  }
  const width = 2 * Math.ceil(inputs / 2);
  const packed = new Uint16Array(rows * width);
  if (width === inputs) packed.set(halves);
  else {
    for (let r = 0; r < rows; r++) packed.set(halves.subarray(r * inputs, (r + 1) * inputs), r * width);
  }
  return new Uint32Array(packed.buffer);
}

/** One group of a quantised row: 32 stored codes (signed bytes, or nibbles) and the bits of its scale and minimum. */
export interface StoredGroup {
  readonly codes: Int8Array | Uint8Array;
  readonly scale: number;
  readonly minimum: number;
}

/** Writes groups into their places of a packed matrix, which must be zero before. */
export class GroupWriter {
  readonly #packed: Uint32Array;
  readonly #layout: QuantizedLayout;
  readonly #words: number;
  readonly #codeWords: number;

  constructor(packed: Uint32Array, layout: QuantizedLayout, inputs: number) {
    this.#packed = packed;
    this.#layout = layout;
    this.#words = wordsPerRow(layout, inputs);
    this.#codeWords = codeWordsPerRow(layout, inputs);
  }

  /** Writes one group of one row. */
  write(row: number, group: number, { codes, scale, minimum }: StoredGroup): void {
    const packed = this.#packed;
    const start = row * this.#words;
    if (this.#layout === "q8") {
      const first = start + group * 8;
      for (let word = 0, at = 0; word < 8; word++, at += 4) {
        packed[first + word] =
          (codes[at]! & 255) |
          ((codes[at + 1]! & 255) << 8) |
          ((codes[at + 2]! & 255) << 16) |
          (codes[at + 3]! << 24);
      }
    } else {
      const first = start + group * 4;
      for (let word = 0, at = 0; word < 4; word++, at += 8) {
        let bits = 0;
        for (let nibble = 0; nibble < 8; nibble++) bits |= (codes[at + nibble]! & 15) << (4 * nibble);
        packed[first + word] = bits;
      }
    }
    const scales = start + this.#codeWords;
    if (this.#layout === "q4m") packed[scales + group] = scale | (minimum << 16);
    else packed[scales + (group >> 1)]! |= scale << (16 * (group & 1));
  }
}

/**
 * The values of one row of a packed matrix [inputs], exactly as a shader reads them. Words are taken as unsigned or
 * signed; an array of floats is a matrix that was never packed, for the layout `f32` alone.
 */
export function unpackRow(
  words: Uint32Array | Int32Array | Float32Array | Float64Array,
  row: number,
  inputs: number,
  layout: WeightLayout,
): Float32Array {
  const start = row * wordsPerRow(layout, inputs);
  if (words instanceof Float32Array || words instanceof Float64Array) {
    if (layout !== "f32") throw new TypeError(`a weight in ${layout} is an array of words, not of floats`);
    return Float32Array.from(words.subarray(start, start + inputs));
  }
  const at = words.byteOffset + 4 * start;
  if (layout === "f32") return new Float32Array(words.buffer, at, inputs).slice();
  const values = new Float32Array(inputs);
  if (layout === "f16" || layout === "bf16") {
    const decode = layout === "f16" ? halfToFloat : brainToFloat;
    const halves = new Uint16Array(words.buffer, at, inputs);
    for (let index = 0; index < inputs; index++) values[index] = decode(halves[index]!);
    return values;
  }
  const scales = new Uint16Array(words.buffer, at + 4 * codeWordsPerRow(layout, inputs));
  const bytes = new Int8Array(words.buffer, at, layout === "q8" ? inputs : Math.ceil(inputs / 2));
  for (let start = 0, group = 0; start < inputs; start += groupSize, group++) {
    const end = Math.min(start + groupSize, inputs);
    const scale = halfToFloat(scales[layout === "q4m" ? 2 * group : group]!);
    if (layout === "q8") {
      for (let index = start; index < end; index++) values[index] = bytes[index]! * scale;
      continue;
    }
    const minimum = layout === "q4m" ? halfToFloat(scales[2 * group + 1]!) : 0;
    for (let index = start; index < end; index++) {
      const nibble = (bytes[index >> 1]! >> (4 * (index & 1))) & 15;
      values[index] = layout === "q4s" ? (nibble - 8) * scale : nibble * scale + minimum;
    }
  }
  return values;
}
