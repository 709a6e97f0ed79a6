import { countRows, type StreamRows } from "./collectActivations.ts";

/** What a stream is shifted and divided by, so that a row's mean square about the mean is 1 per number. */
export interface StreamScale {
  /** [inputSize] */
  readonly mean: Float64Array;
  readonly deviation: number;
}

/** Mean row and root mean square deviation of a stream, in float64. Throws RangeError where no two rows differ. */
export function streamScale(rows: StreamRows): StreamScale {
  const { values, width } = rows;
  const mean = new Float64Array(width);
  const count = countRows(rows);
  for (let place = 0; place < values.length; place++) mean[place % width]! += values[place]! / count;
  let squares = 0;
  for (let place = 0; place < values.length; place++) squares += (values[place]! - mean[place % width]!) ** 2;
  const deviation = Math.sqrt(squares / values.length);
  if (!(deviation > 0))
    throw new RangeError(
      `An autoencoder is trained on rows that differ, and the ${count} rows of the stream do not.`,
    );
  return { mean, deviation };
}

/** Some rows of a stream, in the order of their indices, shifted and divided. [indices · width] */
export function scaledRows(
  { values, width }: StreamRows,
  indices: readonly number[],
  { mean, deviation }: StreamScale,
): Float32Array {
  const scaled = new Float32Array(indices.length * width);
  indices.forEach((index, row) => {
    for (let i = 0; i < width; i++)
      scaled[row * width + i] = (values[index * width + i]! - mean[i]!) / deviation;
  });
  return scaled;
}
