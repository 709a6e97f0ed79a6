/** What a file does to the stream or the activations, moved into the weights; sums are in float64. */
import type { SaeArrays } from "./layout.ts";

type Weights = Pick<SaeArrays, "encoder" | "bias">;

/** The bias that gives (h − shift) We^T + b as h We^T + bias: encoder [width, inputSize]. */
export function biasOfShift({ encoder, bias }: Weights, shift: Float32Array): Float32Array {
  return bias.map((value, feature) => {
    const start = feature * shift.length;
    return shift.reduce((sum, each, i) => sum - each * encoder[start + i]!, value);
  });
}

/** Every value times a factor. */
export function scaled(values: Float32Array, factor: number): Float32Array {
  return values.map((value) => value * factor);
}

/** Euclidean lengths of the rows of a matrix [width, columns]; a row of zeros has 1, so that it can be divided by. */
export function rowNorms(matrix: Float32Array, width: number): Float64Array {
  const columns = matrix.length / width;
  return Float64Array.from({ length: width }, (_, row) => {
    let sum = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) sum += matrix[at]! ** 2;
    return Math.sqrt(sum) || 1;
  });
}

/** Every row of a matrix [width, columns] times its own factor. */
export function scaledRows(matrix: Float32Array, factors: Float64Array): Float32Array {
  const columns = matrix.length / factors.length;
  return matrix.map((value, at) => value * factors[Math.floor(at / columns)]!);
}
