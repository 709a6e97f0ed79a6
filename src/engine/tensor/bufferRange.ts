/** Parts of buffers that a dispatch binds: whole tensors, and views that lie inside another tensor's buffer. */
import { GpuValidationError } from "./errors.ts";
import type { Shader } from "./shader.ts";

/** A binding begins at a multiple of this many bytes; no device may ask for more. */
export const BINDING_ALIGNMENT = 256;

/** Where the data of a tensor lies; counts in bytes. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
  /** Whole tensors bind their whole buffer, of which their data is the first part. */
  readonly isView: boolean;
}

/**
 * For each tensor of a dispatch, whether it must be read from a copy: a view that begins where no binding can, and a
 * view beside one that the dispatch writes, because a dispatch cannot both read and write one buffer. Throws for
 * tensors that overlap what the dispatch writes.
 */
export function copiesNeeded(
  { operation, writable }: Pick<Shader, "operation" | "writable">,
  ranges: readonly BufferRange[],
): boolean[] {
  return ranges.map((range, place) => {
    const isWritable = writable[place] === true;
    let isBesideWritten = false;
    for (const [otherPlace, other] of ranges.entries()) {
      if (otherPlace === place || other.buffer !== range.buffer) continue;
      if (!isWritable && writable[otherPlace] !== true) continue;
      if (overlap(range, other)) {
        throw new GpuValidationError(`${operation}: a tensor it writes is also bound a second time`);
      }
      isBesideWritten = true;
    }
    return !isWritable && (isBesideWritten || range.offset % BINDING_ALIGNMENT !== 0);
  });
}

function overlap(a: BufferRange, b: BufferRange): boolean {
  if (!a.isView || !b.isView) return true;
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}
