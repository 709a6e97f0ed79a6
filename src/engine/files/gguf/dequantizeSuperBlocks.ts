/** Blocks of 256 weights in groups of 32 or 16, whose scales are themselves whole numbers times a binary16. */
import { halfToFloat } from "../../kernels/weightLayout/half.ts";

const WEIGHTS = 256;
const GROUPS = 8;
const GROUP = 32;

function halfAt(bytes: Uint8Array, at: number): number {
  return halfToFloat(bytes[at]! | (bytes[at + 1]! << 8));
}

/** Six bits of scale of group j of 8, of the twelve bytes from `at`. */
function scaleOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j]! & 63 : (bytes[at + j + 4]! & 15) | ((bytes[at + j - 4]! >> 6) << 4);
}

/** Six bits of minimum of group j of 8, of the same bytes. */
function minimumOf(bytes: Uint8Array, at: number, j: number): number {
  return j < 4 ? bytes[at + j + 4]! & 63 : (bytes[at + j + 4]! >> 4) | ((bytes[at + j]! >> 6) << 4);
}

/** Q4_K: `d`, `dmin`, 12 bytes of scales and minima, 128 bytes of nibbles; w = d·scale·q − dmin·minimum. */
export function dequantizeQ4_K(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 144, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    const dmin = halfAt(blocks, at + 2);
    for (let j = 0; j < GROUPS; j++) {
      const scale = d * scaleOf(blocks, at + 4, j);
      const minimum = dmin * minimumOf(blocks, at + 4, j);
      const codes = at + 16 + GROUP * (j >> 1);
      const shift = 4 * (j & 1);
      for (let l = 0; l < GROUP; l++)
        into[out + GROUP * j + l] = scale * ((blocks[codes + l]! >> shift) & 15) - minimum;
    }
  }
}

/** Q5_K: as Q4_K, with 32 bytes before the nibbles whose bit j is the fifth bit of the weights of group j. */
export function dequantizeQ5_K(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 176, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    const dmin = halfAt(blocks, at + 2);
    for (let j = 0; j < GROUPS; j++) {
      const scale = d * scaleOf(blocks, at + 4, j);
      const minimum = dmin * minimumOf(blocks, at + 4, j);
      const codes = at + 48 + GROUP * (j >> 1);
      const shift = 4 * (j & 1);
      for (let l = 0; l < GROUP; l++) {
        const code = ((blocks[codes + l]! >> shift) & 15) | (((blocks[at + 16 + l]! >> j) & 1) << 4);
        into[out + GROUP * j + l] = scale * code - minimum;
      }
    }
  }
}

/** Q6_K: 128 bytes of low nibbles, 64 of pairs of high bits, 16 signed scales, `d`; w = d·scale·(q − 32). */
export function dequantizeQ6_K(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 210, out += WEIGHTS) {
    const d = halfAt(blocks, at + 208);
    for (let j = 0; j < GROUPS; j++) {
      const [half, r] = [j >> 2, j & 3];
      const low = at + 64 * half + GROUP * (r & 1);
      const lowShift = r < 2 ? 0 : 4;
      const high = at + 128 + GROUP * half;
      for (let l = 0; l < GROUP; l++) {
        const scale = (blocks[at + 192 + 2 * j + (l >> 4)]! << 24) >> 24;
        const code = ((blocks[low + l]! >> lowShift) & 15) | (((blocks[high + l]! >> (2 * r)) & 3) << 4);
        into[out + GROUP * j + l] = d * scale * (code - 32);
      }
    }
  }
}
