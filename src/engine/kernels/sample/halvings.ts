/**
 * Powers of two in whole numbers. Probabilities decide which tokens survive and which one is drawn, and shaders may round
 * `exp` as they like; whole numbers are the same on every device.
 */

/** What 1 is as a weight. */
export const ONE = 2 ** 31;

/** Steps of an exponent: 24 bits after the point. */
export const EXPONENT_STEPS = 2 ** 24;

/** From this exponent on, a power of one half is less than one unit. */
export const LARGEST_EXPONENT = 32;

/**
 * 2^-f = 1 - f (c0 - f (c1 - ...)) for f in [0, 1), in units of 2^-31: the polynomial that is nearest to (1 - 2^-f) / f
 * everywhere (error 1.3e-11). With the rounding of every product the result is off by at most 4 units.
 */
export const HALVING_COEFFICIENTS = [1488522236, 515882469, 119193747, 20652244, 2856024, 319744, 24275];

/** The upper 32 bits of the product of two words. */
export function highProduct(a: number, b: number): number {
  // Each partial product has at most 48 bits, which a double holds.
  return Math.floor((a * (b >>> 16) + Math.floor((a * (b & 0xffff)) / 2 ** 16)) / 2 ** 16);
}

/** 2^-exponent in units of 2^-31, for an exponent from 0 on. */
export function halvings(exponent: number): number {
  if (!(exponent < LARGEST_EXPONENT)) return 0;
  const fixed = Math.floor(exponent * EXPONENT_STEPS);
  const fraction = (fixed << 8) >>> 0;
  const rest = HALVING_COEFFICIENTS.reduceRight((sum, factor) => factor - highProduct(fraction, sum), 0);
  return (ONE - highProduct(fraction, rest)) >>> (fixed >>> 24);
}
