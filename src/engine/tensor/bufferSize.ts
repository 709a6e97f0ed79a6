/** Sizes of pooled buffers. */

/** Smallest buffer that is pooled by size class, and the unit of all smaller ones. */
const SMALLEST = 256;
/** Steps per doubling: at most a quarter of a buffer is left unused. */
const STEPS_PER_DOUBLING = 4;

/**
 * The size (bytes) of the buffer that holds `size` bytes. The pool reuses a buffer for its exact size only, and every
 * batch has another number of rows; in classes, batches of about one size share their buffers. Never above `largest`
 * unless the data itself is.
 */
export function pooledSize(size: number, largest: number): number {
  const doubling = 2 ** Math.floor(Math.log2(Math.max(size, SMALLEST)));
  const step = Math.max(SMALLEST, doubling / STEPS_PER_DOUBLING);
  const rounded = Math.ceil(size / step) * step;
  return rounded <= largest ? rounded : size;
}
