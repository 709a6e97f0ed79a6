/** The parameters of an autoencoder in training, and what they are to the stream itself. */
import { flatParameters, type FlatParameters } from "../../adapters/parameters.ts";
import { createRandom } from "../../data/random.ts";
import type { SaeArrays } from "../layouts/layout.ts";
import type { StreamScale } from "./streamScale.ts";

/** Sizes of an autoencoder. */
export interface SaeSizes {
  readonly inputSize: number;
  readonly width: number;
}

/** Names of the parameters in a saved state. */
export const saeParameterNames = ["encoder", "decoder", "encoderBias", "decoderBias"] as const;

/** Random stream of the first directions, apart from the one that shuffles rows. */
const DIRECTION_STREAM = 0x5ae;

/** Rows [rows, width] divided by their lengths. */
export function unitRows(rows: ArrayLike<number>, width: number): Float32Array {
  const unit = Float32Array.from(rows);
  for (let start = 0; start < unit.length; start += width) {
    let squares = 0;
    for (let i = start; i < start + width; i++) squares += rows[i]! ** 2;
    const length = Math.sqrt(squares);
    for (let i = start; i < start + width; i++) unit[i] = rows[i]! / length;
  }
  return unit;
}

/**
 * First parameters: random directions of length 1 as decoder [width, inputSize], the encoder equal to it, biases of 0, for a
 * stream that is shifted and divided. Only the directions of the decoder's rows count; their lengths are taken out.
 */
export function createSaeParameters({ inputSize, width }: SaeSizes, seed: number): FlatParameters {
  const random = createRandom(seed, DIRECTION_STREAM);
  const directions = unitRows(
    Float64Array.from({ length: width * inputSize }, () => random.gaussian()),
    inputSize,
  );
  return flatParameters([
    { name: "encoder", shape: [width, inputSize], values: directions },
    { name: "decoder", shape: [width, inputSize], values: directions },
    { name: "encoderBias", shape: [width], values: null },
    { name: "decoderBias", shape: [inputSize], values: null },
  ]);
}

/** What is known of an autoencoder beside its parameters. */
export interface SaePlace extends Pick<SaeArrays, "layer" | "hook" | "modelName"> {
  readonly sizes: SaeSizes;
  readonly scale: StreamScale;
  /** Of the activations on the shifted and divided stream. */
  readonly threshold: number;
}

/**
 * The autoencoder that does to the stream itself what the parameters do to (h − mean) / deviation, with one threshold for all
 * features. The decoder's rows have length 1, so its activations are those of the divided stream times the deviation.
 */
export function foldedSae(
  saved: Readonly<Record<string, Float32Array>>,
  { sizes: { inputSize, width }, scale: { mean, deviation }, threshold, ...place }: SaePlace,
): SaeArrays {
  const [encoder, decoder, encoderBias, decoderBias] = saeParameterNames.map((name) => {
    const values = saved[name];
    if (values === undefined) throw new Error(`The autoencoder's state has no "${name}".`);
    return values;
  }) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const bias = Float32Array.from({ length: width }, (_, feature) => {
    let shift = 0;
    for (let i = 0; i < inputSize; i++) shift += encoder[feature * inputSize + i]! * mean[i]!;
    return deviation * encoderBias[feature]! - shift;
  });
  return {
    ...place,
    inputSize,
    width,
    encoder,
    bias,
    threshold: new Float32Array(width).fill(deviation * threshold),
    decoder: unitRows(decoder, inputSize),
    decoderBias: Float32Array.from(mean, (value, i) => value + deviation * decoderBias[i]!),
  };
}
