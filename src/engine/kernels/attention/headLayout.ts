import type { AttentionAttributes } from "./attention.ts";

/** Where the heads of one kind lie. */
export interface Heads {
  /** Name of the binding that holds them. */
  readonly buffer: string;
  /** Numbers from one row to the next. */
  readonly stride: number;
  /** Numbers before the first head of a row. */
  readonly start: number;
}

/** Where an operation finds its queries, keys and values. */
export interface HeadLayout {
  readonly q: Heads;
  readonly k: Heads;
  readonly v: Heads;
}

/** The only heads of their rows: [rows, width]. */
export function headsAlone(buffer: string, width: number): Heads {
  return { buffer, stride: width, start: 0 };
}

/** Queries, keys and values in arrays of their own. */
export function separateHeads(attributes: AttentionAttributes): HeadLayout {
  const { heads, keyValueHeads, headDim } = attributes;
  return {
    q: headsAlone("q", heads * headDim),
    k: headsAlone("k", keyValueHeads * headDim),
    v: headsAlone("v", keyValueHeads * headDim),
  };
}

/** Queries, keys and values in one row: `buffer` [rows, (heads + 2 · keyValueHeads) · headDim]. */
export function packedHeads(attributes: AttentionAttributes, buffer = "qkv"): HeadLayout {
  const { heads, keyValueHeads, headDim } = attributes;
  const stride = (heads + 2 * keyValueHeads) * headDim;
  return {
    q: { buffer, stride, start: 0 },
    k: { buffer, stride, start: heads * headDim },
    v: { buffer, stride, start: (heads + keyValueHeads) * headDim },
  };
}

/** Queries in packed rows, keys and values in the caches `keys` and `values` [capacity, keyValueHeads · headDim]. */
export function cachedHeads(attributes: AttentionAttributes): HeadLayout {
  const width = attributes.keyValueHeads * attributes.headDim;
  return {
    q: packedHeads(attributes).q,
    k: headsAlone("keys", width),
    v: headsAlone("values", width),
  };
}

/** WGSL for the index, in vectors of four, of the first vector of (row, head); `width` is the vectors of a head. */
export function placeText({ stride, start }: Heads, row: string, head: string): string {
  const place = `${row} * ${stride / 4}u + (${head}) * width`;
  return start === 0 ? place : `${place} + ${start / 4}u`;
}
