import { brainToFloat, halfToFloat } from "../../kernels/weightLayout/half.ts";

/** F32: floats of 32 bits as they are. */
export function dequantizeSingle(blocks: Uint8Array, into: Float32Array): void {
  // Copied as bytes: typed arrays are little-endian wherever there is WebGPU, and a range need not be aligned.
  new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(blocks.subarray(0, into.byteLength));
}

/** F16: IEEE 754 binary16. */
export function dequantizeHalf(blocks: Uint8Array, into: Float32Array): void {
  for (let index = 0; index < into.length; index++)
    into[index] = halfToFloat(blocks[2 * index]! | (blocks[2 * index + 1]! << 8));
}

/** BF16: the upper halves of 32-bit floats. */
export function dequantizeBrain(blocks: Uint8Array, into: Float32Array): void {
  for (let index = 0; index < into.length; index++)
    into[index] = brainToFloat(blocks[2 * index]! | (blocks[2 * index + 1]! << 8));
}
