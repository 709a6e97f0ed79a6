/** What an autoencoder does on rows that it was not trained on, and the threshold that it goes by there. */
import type { FlatParameters } from "../../adapters/parameters.ts";
import { matmul } from "../../kernels/matmul/matmul.ts";
import { dispose, read, tensor } from "../../tensor/run.ts";
import { createVarianceMeter, reconstruct } from "../reconstruct.ts";
import type { SparseAutoencoder } from "../sparseAutoencoder.ts";
import { countRows, type StreamRows } from "./collectActivations.ts";
import { positiveLimit } from "./selectTop.ts";

/** Quality on some rows. */
export interface SaeQuality {
  /** Share of the variance that is not explained. */
  readonly unexplained: number;
  /** Mean number of active features. */
  readonly l0: number;
  /** Share of features that are active nowhere. */
  readonly dead: number;
}

const ROWS_AT_ONCE = 512;

/** Measures an autoencoder with its decoder on rows of the stream itself. */
export async function measureSae(sae: SparseAutoencoder, rows: StreamRows): Promise<SaeQuality> {
  const { values, width: inputSize } = rows;
  const meter = createVarianceMeter();
  const isActive = new Uint8Array(sae.width);
  let active = 0;
  for (let start = 0; start < values.length; start += ROWS_AT_ONCE * inputSize) {
    const part = values.subarray(start, start + ROWS_AT_ONCE * inputSize);
    const hidden = tensor(part.slice(), [part.length / inputSize, inputSize]);
    const { activations, restored } = reconstruct(sae, hidden);
    try {
      meter.add(part, await read(restored), inputSize);
      (await read(activations)).forEach((activation, place) => {
        if (activation === 0) return;
        isActive[place % sae.width] = 1;
        active++;
      });
    } finally {
      dispose([hidden, activations, restored]);
    }
  }
  return {
    unexplained: meter.unexplained(),
    l0: active / countRows(rows),
    dead: isActive.filter((is) => is === 0).length / sae.width,
  };
}

/**
 * The threshold at which k features are active on average: the mean, over batches of shifted and divided rows, of the
 * value at which a batch keeps rows · k pre-activations.
 */
export async function thresholdOf(
  { trainables }: FlatParameters,
  batches: readonly Float32Array[],
  k: number,
): Promise<number> {
  const [encoder, bias] = ["encoder", "encoderBias"].map(
    (name) => trainables.find((each) => each.name === name)!.tensor,
  );
  let sum = 0;
  for (const values of batches) {
    const inputSize = encoder!.shape[1]!;
    const rows = values.length / inputSize;
    const x = tensor(values, [rows, inputSize]);
    const pre = matmul(x, encoder!, { form: "abt", bias: bias! });
    try {
      sum += positiveLimit(await read(pre), rows * k);
    } finally {
      dispose([x, pre]);
    }
  }
  return sum / batches.length;
}
