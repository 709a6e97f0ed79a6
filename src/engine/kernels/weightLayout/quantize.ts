/** Rounding a group of weights to a few levels, as GGUF's reference quantisers do. */
import type { QuantizedLayout } from "./weightLayout.ts";

/** What turns a group's codes back into values; the codes were rounded with the scale as given here. */
export interface GroupScale {
  readonly scale: number;
  readonly minimum: number;
}

/** A range of values. */
export interface ValueRange {
  readonly values: Float32Array | Float64Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Quantises up to 32 values into `codes`: q8 by the largest magnitude, q4s by it with its sign, q4m from minimum to
 * maximum. Millions of groups pass through here, so nothing is made but the answer.
 */
export function quantizeGroup(range: ValueRange, layout: QuantizedLayout, codes: Int8Array): GroupScale {
  switch (layout) {
    case "q8":
      return quantizeBytes(range, codes);
    case "q4s":
      return quantizeSigned(range, codes);
    case "q4m":
      return quantizeBetween(range, codes);
  }
}

function peakOf({ values, start, end }: ValueRange): number {
  let peak = 0;
  for (let at = start; at < end; at++) {
    if (Math.abs(values[at]!) > Math.abs(peak)) peak = values[at]!;
  }
  return peak;
}

function quantizeBytes(range: ValueRange, codes: Int8Array): GroupScale {
  const { values, start, end } = range;
  const scale = Math.abs(peakOf(range)) / 127;
  for (let at = start; at < end; at++) {
    const value = values[at]!;
    // Halves away from zero.
    const steps = scale === 0 ? 0 : Math.floor(Math.abs(value) / scale + 0.5);
    codes[at - start] = value < 0 ? -steps : steps;
  }
  return { scale, minimum: 0 };
}

function quantizeSigned(range: ValueRange, codes: Int8Array): GroupScale {
  const { values, start, end } = range;
  // The entry of largest magnitude becomes exactly -8 steps.
  const scale = peakOf(range) / -8;
  for (let at = start; at < end; at++)
    codes[at - start] = nibbleOf((scale === 0 ? 0 : values[at]! / scale) + 8.5);
  return { scale, minimum: 0 };
}

function quantizeBetween({ values, start, end }: ValueRange, codes: Int8Array): GroupScale {
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = start; at < end; at++) {
    minimum = Math.min(minimum, values[at]!);
    maximum = Math.max(maximum, values[at]!);
  }
  const scale = (maximum - minimum) / 15;
  for (let at = start; at < end; at++)
    codes[at - start] = nibbleOf((scale === 0 ? 0 : (values[at]! - minimum) / scale) + 0.5);
  return { scale, minimum };
}

function nibbleOf(value: number): number {
  return Math.min(15, Math.max(0, Math.floor(value)));
}
