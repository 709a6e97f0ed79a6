/** 16-bit floats on the host: IEEE 754 binary16 and bfloat16, to the bit. */

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

const SUBNORMAL_STEP_OF_HALF = 2 ** -24;
const HALF_VALUES = 65_536;
let halfValues: Float32Array | undefined;

function computeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * SUBNORMAL_STEP_OF_HALF;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The value of a binary16 bit pattern. */
export function halfToFloat(bits: number): number {
  // A table, because an oracle decodes millions of them.
  halfValues ??= Float32Array.from({ length: HALF_VALUES }, (_, index) => computeHalf(index));
  return halfValues[bits & 0xffff]!;
}

/** The binary16 bit pattern nearest to a number (first rounded to 32 bits), halves to even. */
export function floatToHalf(value: number): number {
  floats[0] = value;
  const word = words[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00;
  // From halfway between the largest half and its successor everything is infinite.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  if (magnitude < 0x3880_0000) {
    // Below the smallest normal half the steps are equal.
    return sign | roundToEven(Math.abs(floats[0]) / SUBNORMAL_STEP_OF_HALF);
  }
  // 13 fraction bits go; the exponent's bias falls from 127 to 15.
  return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest === 0.5) return below + (below % 2);
  return rest > 0.5 ? below + 1 : below;
}

/** The value of a bfloat16 bit pattern: the upper half of a 32-bit float. */
export function brainToFloat(bits: number): number {
  words[0] = bits << 16;
  return floats[0]!;
}

/** The bfloat16 bit pattern nearest to a number (first rounded to 32 bits), halves to even. */
export function floatToBrain(value: number): number {
  floats[0] = value;
  const word = words[0]!;
  if ((word & 0x7fff_ffff) > 0x7f80_0000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
