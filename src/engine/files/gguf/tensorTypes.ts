/** How GGUF files store the values of tensors, by name and id. Source: ggml-common.h and gguf-py of ggml-org/llama.cpp. */
import { dequantizeBrain, dequantizeHalf, dequantizeSingle } from "./dequantizePlain.ts";
import {
  dequantizeQ4_0,
  dequantizeQ4_1,
  dequantizeQ5_0,
  dequantizeQ5_1,
  dequantizeQ8_0,
} from "./dequantizeBlocks.ts";
import { dequantizeQ4_K, dequantizeQ5_K, dequantizeQ6_K } from "./dequantizeSuperBlocks.ts";

/** Types that are read. */
export const ggufTypeNames = [
  "F32",
  "F16",
  "BF16",
  "Q8_0",
  "Q4_0",
  "Q4_1",
  "Q5_0",
  "Q5_1",
  "Q4_K",
  "Q5_K",
  "Q6_K",
] as const;

/** A type that is read. */
export type GgufType = (typeof ggufTypeNames)[number];

/** A way to store values: blocks of `weights` values in `bytes` bytes. */
export interface GgufTypeFormat {
  readonly id: number;
  readonly weights: number;
  readonly bytes: number;
  /** Fills `into` from whole blocks: bytes [blocks * bytes] -> values [blocks * weights]. */
  readonly dequantize: (blocks: Uint8Array, into: Float32Array) => void;
}

/** Formats by type. */
export const ggufTypes: Readonly<Record<GgufType, GgufTypeFormat>> = {
  F32: { id: 0, weights: 1, bytes: 4, dequantize: dequantizeSingle },
  F16: { id: 1, weights: 1, bytes: 2, dequantize: dequantizeHalf },
  BF16: { id: 30, weights: 1, bytes: 2, dequantize: dequantizeBrain },
  Q8_0: { id: 8, weights: 32, bytes: 34, dequantize: dequantizeQ8_0 },
  Q4_0: { id: 2, weights: 32, bytes: 18, dequantize: dequantizeQ4_0 },
  Q4_1: { id: 3, weights: 32, bytes: 20, dequantize: dequantizeQ4_1 },
  Q5_0: { id: 6, weights: 32, bytes: 22, dequantize: dequantizeQ5_0 },
  Q5_1: { id: 7, weights: 32, bytes: 24, dequantize: dequantizeQ5_1 },
  Q4_K: { id: 12, weights: 256, bytes: 144, dequantize: dequantizeQ4_K },
  Q5_K: { id: 13, weights: 256, bytes: 176, dequantize: dequantizeQ5_K },
  Q6_K: { id: 14, weights: 256, bytes: 210, dequantize: dequantizeQ6_K },
};

const typeById = new Map(ggufTypeNames.map((name) => [ggufTypes[name].id, name]));

/** Types that are not read, so that a refusal can name them. */
const otherTypes = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
  [40, "NVFP4"],
  [41, "Q1_0"],
]);

/** The type with an id; undefined where it is not read. */
export function ggufTypeOf(id: number): GgufType | undefined {
  return typeById.get(id);
}

/** What to call a type that is not read. */
export function nameOfOtherType(id: number): string {
  return otherTypes.get(id) ?? `type ${id}`;
}

/**
 * The values of whole blocks: bytes [blocks * bytes] -> [blocks * weights] in 32 bits.
 * Throws RangeError for a part of a block.
 */
export function dequantize(type: GgufType, blocks: Uint8Array): Float32Array {
  const format = ggufTypes[type];
  const count = blocks.length / format.bytes;
  if (!Number.isInteger(count))
    throw new RangeError(`${blocks.length} bytes are not whole blocks of ${format.bytes} bytes of ${type}`);
  const values = new Float32Array(count * format.weights);
  format.dequantize(blocks, values);
  return values;
}
