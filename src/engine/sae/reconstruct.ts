/** What an autoencoder makes of a stream, and how much of the stream's variance that leaves unexplained. */
import { matmul } from "../kernels/matmul/matmul.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { encodeFeatures, type SparseAutoencoder } from "./sparseAutoencoder.ts";

/** Both halves of an autoencoder on a stream. */
export interface Reconstruction {
  /** [rows, width] */
  readonly activations: Tensor;
  /** [rows, inputSize] */
  readonly restored: Tensor;
}

/**
 * Activations of a stream [rows, inputSize] and what the decoder makes of them, a Wd + b; for some hundred rows at a time.
 * The caller disposes both. Throws RangeError for an autoencoder without its decoder.
 */
export function reconstruct(sae: SparseAutoencoder, hidden: Tensor): Reconstruction {
  const { decoder } = sae;
  if (decoder === null)
    throw new RangeError(
      "The autoencoder has no decoder: load it with needsDecoder to reconstruct a stream.",
    );
  const activations = encodeFeatures(sae, hidden);
  return { activations, restored: matmul(activations, decoder.weight, { form: "ab", bias: decoder.bias }) };
}

/** Adds up rows and their reconstructions. */
export interface VarianceMeter {
  /** Adds rows [rows · width] and what was made of them. Throws RangeError for sizes that do not fit. */
  readonly add: (hidden: ArrayLike<number>, restored: ArrayLike<number>, width: number) => void;
  readonly rows: () => number;
  /** Σ‖h − ĥ‖² / Σ‖h − mean(h)‖² over all rows so far; NaN for fewer than two rows, or where no two differ. */
  readonly unexplained: () => number;
}

/** A meter of the fraction of variance unexplained, in float64, that needs no second look at the rows. */
export function createVarianceMeter(): VarianceMeter {
  let mean = new Float64Array(0);
  let [rows, errors, deviations] = [0, 0, 0];
  return {
    add: (hidden, restored, width) => {
      if (rows === 0) mean = new Float64Array(width);
      if (width !== mean.length || width < 1 || hidden.length % width !== 0)
        throw new RangeError(
          `${hidden.length} values are no rows of ${width}, or those before had ${mean.length}.`,
        );
      if (restored.length !== hidden.length)
        throw new RangeError(`${hidden.length} values cannot be compared with ${restored.length}.`);
      for (let start = 0; start < hidden.length; start += width) {
        rows++;
        for (let i = 0; i < width; i++) {
          const value = hidden[start + i]!;
          errors += (value - restored[start + i]!) ** 2;
          // Welford's update: the sum of squared deviations from a mean that moves with every row.
          const before = value - mean[i]!;
          mean[i]! += before / rows;
          deviations += before * (value - mean[i]!);
        }
      }
    },
    rows: () => rows,
    unexplained: () => (rows < 2 || deviations === 0 ? NaN : errors / deviations),
  };
}
