/** Tensors as files would give them, made from values in memory; for tests only. */
import type { NamedArray } from "../files/safetensors.ts";
import type { StoredTensor, StoredType } from "../files/storedTensors.ts";
import { floatToBrain, floatToHalf } from "../kernels/weightLayout/half.ts";
import { groupSize, packRows, unpackRow, type WeightLayout } from "../kernels/weightLayout/weightLayout.ts";

/** Bytes of values as a file of plain numbers stores them. */
export function plainBytes(values: Float32Array, type: "F32" | "F16" | "BF16"): Uint8Array {
  if (type === "F32") return new Uint8Array(values.slice().buffer);
  return new Uint8Array(Uint16Array.from(values, type === "F16" ? floatToHalf : floatToBrain).buffer);
}

/** A safetensors file of plain numbers, tensor after tensor in the order that is given. */
export function plainFile(
  arrays: ReadonlyMap<string, NamedArray>,
  type: "F32" | "F16" | "BF16",
): Uint8Array<ArrayBuffer> {
  const parts = [...arrays.values()].map(({ values }) => plainBytes(values, type));
  let offset = 0;
  const entries = [...arrays].map(([name, { shape }], index) => {
    const begin = offset;
    offset += parts[index]!.length;
    return [name, { dtype: type, shape, data_offsets: [begin, offset] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const bytes = new Uint8Array(8 + header.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What values become in a layout: decode(pack(w)). */
export function roundTrip({ shape, values }: NamedArray, layout: WeightLayout): Float32Array {
  const [rows = 0, width] = shape;
  if (width === undefined) return values;
  const packed = packRows(values, [rows, width], layout);
  return Float32Array.from(
    Array.from({ length: rows }, (_, row) => [...unpackRow(packed, row, width, layout)]).flat(),
  );
}

/** A tensor of GGUF's blocks of 32: `q8` values as Q8_0, `q4s` as Q4_0, `q4m` as Q4_1, by the formats' own definitions. */
export function blockTensor({ shape, values }: NamedArray, type: "Q8_0" | "Q4_0" | "Q4_1"): StoredTensor {
  const layout = ({ Q8_0: "q8", Q4_0: "q4s", Q4_1: "q4m" } as const)[type];
  const blockBytes = { q8: 34, q4s: 18, q4m: 20 }[layout];
  const count = values.length / groupSize;
  const bytes = new Uint8Array(count * blockBytes);
  for (let block = 0; block < count; block++) {
    const own = values.subarray(block * groupSize, (block + 1) * groupSize);
    bytes.set(
      blockOf(new Uint8Array(packRows(own, [1, groupSize], layout).buffer), layout),
      block * blockBytes,
    );
  }
  const decoded = roundTrip({ shape, values }, layout);
  return stubOf({ shape, values: decoded }, type, bytes);
}

/** One group's words as GGUF orders its bytes: scales first, then codes, of nibbles value j beside value j + 16. */
function blockOf(words: Uint8Array, layout: "q8" | "q4s" | "q4m"): number[] {
  const codeBytes = layout === "q8" ? groupSize : groupSize / 2;
  const scales = [...words.subarray(codeBytes, codeBytes + (layout === "q4m" ? 4 : 2))];
  if (layout === "q8") return [...scales, ...words.subarray(0, codeBytes)];
  const nibble = (index: number) => (words[index >> 1]! >> (4 * (index & 1))) & 15;
  return [
    ...scales,
    ...Array.from({ length: codeBytes }, (_, j) => nibble(j) | (nibble(j + codeBytes) << 4)),
  ];
}

/** A tensor with these bytes and these values; plain numbers in 32 bits where no bytes are given. */
export function stubOf(
  { shape, values }: NamedArray,
  type: StoredType = "F32",
  bytes: Uint8Array = plainBytes(values, "F32"),
): StoredTensor {
  return {
    shape,
    type,
    bytes: bytes.length,
    read: () => Promise.resolve(bytes),
    values: () => Promise.resolve(values),
  };
}
