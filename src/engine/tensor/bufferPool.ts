/** Makes the runtime's pool of buffers predictable. */
import type { BufferManager } from "./internals.ts";

/** How the pool orders its buffers. */
export interface PoolOrder {
  /** Bytes of the buffer for so many bytes of data. */
  readonly sizeOf: (bytes: number, usage: number) => number;
  /** Number of a buffer by age. */
  readonly numberOf: (buffer: GPUBuffer) => number;
}

/**
 * The pool hands out the buffer freed last. With the oldest one there, what it hands out depends only on which buffers
 * are free, so that a step like the one before gets the same buffers, and needs no new bind group.
 */
export function orderPool(pool: BufferManager, { sizeOf, numberOf }: PoolOrder): void {
  const acquire = pool.acquireBuffer.bind(pool);
  pool.acquireBuffer = (bytes, usage, ...rest) => {
    const size = sizeOf(bytes, usage);
    const free = pool.freeBuffers.get(`${size}_${usage}`) ?? [];
    let oldest = free.length - 1;
    for (let index = oldest - 1; index >= 0; index--) {
      if (numberOf(free[index]!) < numberOf(free[oldest]!)) oldest = index;
    }
    if (oldest >= 0) free.push(...free.splice(oldest, 1));
    return acquire(size, usage, ...rest);
  };
}
