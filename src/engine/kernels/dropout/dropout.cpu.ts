import type { Floats, Shape, Values } from "../../tensor/op.ts";

// The output permutation of PCG (RXS-M-XS, 32 bit; O'Neill 2014) after one step of its generator.
function permuted(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** Uniform 32-bit hash of a seed and a place; the same number on every device. */
export function counterHash(seed: number, row: number, column: number): number {
  return permuted((column + permuted((row + permuted(seed >>> 0)) >>> 0)) >>> 0);
}

/** A value is kept when its hash is at least this. */
export function dropThreshold(rate: number): number {
  return Math.floor(rate * 2 ** 32);
}

/** Oracle of `dropout`: x [rows, columns] -> kept [rows, columns]. */
export function dropoutCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  { rate, seed }: { readonly rate: number; readonly seed: number },
): void {
  const [x] = inputs as readonly [Values];
  const [kept] = outputs as readonly [Floats];
  const [rows, columns] = shapes[0] as readonly [number, number];
  const threshold = dropThreshold(rate);
  const factor = 1 / (1 - rate);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const index = row * columns + column;
      kept[index] = counterHash(seed, row, column) >= threshold ? x[index]! * factor : 0;
    }
  }
}
