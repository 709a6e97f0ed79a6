/** Blocks of 32 weights with a scale `d`, and with a minimum `m` in those named _1; both are binary16. */
import { halfToFloat } from "../../kernels/weightLayout/half.ts";

const WEIGHTS = 32;
const HALF = WEIGHTS / 2;

function halfAt(bytes: Uint8Array, at: number): number {
  return halfToFloat(bytes[at]! | (bytes[at + 1]! << 8));
}

/** Q8_0: `d`, 32 signed bytes q; w = d·q. */
export function dequantizeQ8_0(blocks: Uint8Array, into: Float32Array): void {
  const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0, out = 0; out < into.length; at += 34, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    for (let j = 0; j < WEIGHTS; j++) into[out + j] = d * signed[at + 2 + j]!;
  }
}

/** Q4_0: `d`, 16 bytes whose low nibbles are weights 0 to 15 and whose high ones 16 to 31; w = d·(q − 8). */
export function dequantizeQ4_0(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 18, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    for (let j = 0; j < HALF; j++) {
      const byte = blocks[at + 2 + j]!;
      into[out + j] = d * ((byte & 15) - 8);
      into[out + HALF + j] = d * ((byte >> 4) - 8);
    }
  }
}

/** Q4_1: `d`, `m`, nibbles as in Q4_0; w = d·q + m. */
export function dequantizeQ4_1(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 20, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    const m = halfAt(blocks, at + 2);
    for (let j = 0; j < HALF; j++) {
      const byte = blocks[at + 4 + j]!;
      into[out + j] = d * (byte & 15) + m;
      into[out + HALF + j] = d * (byte >> 4) + m;
    }
  }
}

/** 32 bits, of which bit i is the fifth bit of weight i. */
function fifthBitsAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Q5_0: `d`, fifth bits, nibbles as in Q4_0; w = d·(q − 16). */
export function dequantizeQ5_0(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 22, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    const fifth = fifthBitsAt(blocks, at + 2);
    for (let j = 0; j < HALF; j++) {
      const byte = blocks[at + 6 + j]!;
      into[out + j] = d * (((byte & 15) | (((fifth >>> j) & 1) << 4)) - 16);
      into[out + HALF + j] = d * (((byte >> 4) | (((fifth >>> (j + HALF)) & 1) << 4)) - 16);
    }
  }
}

/** Q5_1: `d`, `m`, fifth bits, nibbles as in Q4_0; w = d·q + m. */
export function dequantizeQ5_1(blocks: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 24, out += WEIGHTS) {
    const d = halfAt(blocks, at);
    const m = halfAt(blocks, at + 2);
    const fifth = fifthBitsAt(blocks, at + 4);
    for (let j = 0; j < HALF; j++) {
      const byte = blocks[at + 8 + j]!;
      into[out + j] = d * ((byte & 15) | (((fifth >>> j) & 1) << 4)) + m;
      into[out + HALF + j] = d * ((byte >> 4) | (((fifth >>> (j + HALF)) & 1) << 4)) + m;
    }
  }
}
