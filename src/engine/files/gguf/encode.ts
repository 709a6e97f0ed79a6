/** Values as GGUF stores them. */
import { floatToHalf } from "../../kernels/weightLayout/half.ts";

const BLOCK = 32;
const BLOCK_BYTES = 34;
const LARGEST_CODE = 127;

/** F32: 4 bytes a value. */
export function encodeSingle(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) view.setFloat32(4 * index, values[index]!, true);
  return bytes;
}

/** F16: rounded to the nearest binary16, halves to even. */
export function encodeHalf(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * values.length);
  for (let index = 0; index < values.length; index++) {
    const half = floatToHalf(values[index]!);
    bytes[2 * index] = half & 0xff;
    bytes[2 * index + 1] = half >> 8;
  }
  return bytes;
}

/** Q8_0: blocks of 32; the codes are rounded, halves away from zero, with the scale before it becomes a binary16. */
export function encodeQ8_0(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((values.length / BLOCK) * BLOCK_BYTES);
  for (let from = 0, at = 0; from < values.length; from += BLOCK, at += BLOCK_BYTES) {
    let peak = 0;
    for (let j = 0; j < BLOCK; j++) peak = Math.max(peak, Math.abs(values[from + j]!));
    const scale = peak / LARGEST_CODE;
    const half = floatToHalf(scale);
    bytes[at] = half & 0xff;
    bytes[at + 1] = half >> 8;
    if (scale === 0) continue;
    for (let j = 0; j < BLOCK; j++) {
      const steps = values[from + j]! / scale;
      bytes[at + 2 + j] = steps < 0 ? -Math.floor(0.5 - steps) : Math.floor(steps + 0.5);
    }
  }
  return bytes;
}
