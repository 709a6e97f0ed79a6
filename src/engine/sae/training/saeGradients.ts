/** One batch of an autoencoder's training: what it reconstructs, its loss, and the gradients of its parameters. */
import type { FlatParameters, Trainable } from "../../adapters/parameters.ts";
import { accumulateAt } from "../../kernels/adamw/adamw.ts";
import { masked } from "../../kernels/masked/masked.ts";
import { columnSum } from "../../kernels/matmul/columnSum.ts";
import { matmul } from "../../kernels/matmul/matmul.ts";
import { rmsNormDxOp, rmsNormOp } from "../../kernels/rmsNorm/rmsNorm.ts";
import { dispose, read, run, tensor, tidy } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { createVarianceMeter } from "../reconstruct.ts";
import { saeParameterNames } from "./saeParameters.ts";
import { batchTop, rowTop } from "./selectTop.ts";

/**
 * Weight of the auxiliary loss. Dead features alone have a part in it, so that it takes nothing from the others; far below 1
 * (1 / 32 in Gao et al. 2024, arXiv 2406.04093) a feature that has just died moves slowly, because Adam remembers larger gradients.
 */
export const AUXILIARY_WEIGHT = 1;
/** Keeps a decoder row of length 0 from being divided by it. */
const SMALLEST_SQUARE = 1e-12;

/** What a batch is measured with. */
export interface SaeBatch {
  /** Shifted and divided rows [rows · inputSize]. */
  readonly values: Float32Array;
  /** Mean number of active features. */
  readonly k: number;
  /** Features that have been silent for long; they alone answer for what the others leave. */
  readonly dead: readonly number[];
}

/** Numbers of a batch before the update. */
export interface SaeMeasures {
  /** Squared error per number, which is about the unexplained share, and the weighted auxiliary loss. */
  readonly loss: number;
  /** Share of the batch's variance that is not explained; NaN for a single row. */
  readonly unexplained: number;
  /** Mean number of active features. */
  readonly l0: number;
  /** [width] 1 for a feature that was active somewhere. */
  readonly isActive: Uint8Array;
}

/** A reconstruction's error and the gradient of its loss, weight · mean squared error per number. */
function errorOf(restored: ArrayLike<number>, target: ArrayLike<number>, weight: number) {
  const gradient = new Float32Array(target.length);
  let loss = 0;
  for (let i = 0; i < target.length; i++) {
    const difference = restored[i]! - target[i]!;
    loss += (weight * difference ** 2) / target.length;
    gradient[i] = (2 * weight * difference) / target.length;
  }
  return { loss, gradient };
}

/** Parameters and rows of a batch on the device. */
interface Held {
  readonly x: Tensor;
  readonly encoder: Trainable;
  readonly decoder: Trainable;
  readonly encoderBias: Trainable;
  readonly decoderBias: Trainable;
  /** 1 / √inputSize, with which a row of mean square 1 has length 1. [inputSize] */
  readonly gain: Tensor;
  /** The decoder's rows with length 1 [width, inputSize], and what their lengths were [width]. */
  readonly unit: Tensor;
  readonly rstd: Tensor;
}

/** Codes [rows, width] and the gradient of what they rebuild [rows, inputSize]. */
interface Side {
  readonly codes: Tensor;
  readonly upstream: Tensor;
}

/**
 * Adds the gradients of the loss to `gradients` [parameters]: the squared error per number of the batch's rows x, rebuilt from
 * its rows · k largest pre-activations by decoder rows of length 1, plus the auxiliary loss: the dead features rebuild
 * the error that is left (a constant) from their inputSize / 2 largest pre-activations of every row.
 * The decoder's gradient has no part along its rows.
 */
export async function addSaeGradients(
  parameters: FlatParameters,
  gradients: Tensor,
  batch: SaeBatch,
): Promise<SaeMeasures> {
  const tensors: Tensor[] = [];
  const keep = (made: Tensor): Tensor => {
    tensors.push(made);
    return made;
  };
  const { values, k, dead } = batch;
  try {
    const held = hold(parameters, values, keep);
    const [rows, inputSize] = held.x.shape as [number, number];
    const [width] = held.unit.shape as [number, number];
    const { x, encoder, encoderBias, decoderBias, unit } = held;
    const pre = await read(keep(matmul(x, encoder.tensor, { form: "abt", bias: encoderBias.tensor })));
    const top = batchTop(pre, rows * k);
    const codes = keep(tensor(top, [rows, width]));
    const restored = await read(keep(matmul(codes, unit, { form: "ab", bias: decoderBias.tensor })));
    const main = errorOf(restored, values, 1);
    const sides: Side[] = [{ codes, upstream: keep(tensor(main.gradient, x.shape)) }];
    let { loss } = main;
    if (dead.length > 0) {
      const kept = rowTop(pre, width, { features: dead, count: Math.max(1, Math.round(inputSize / 2)) });
      const rescue = keep(tensor(kept, [rows, width]));
      const left = values.map((value, i) => value - restored[i]!);
      const auxiliary = errorOf(
        await read(keep(matmul(rescue, unit, { form: "ab" }))),
        left,
        AUXILIARY_WEIGHT,
      );
      loss += auxiliary.loss;
      sides.push({ codes: rescue, upstream: keep(tensor(auxiliary.gradient, x.shape)) });
    }
    tidy(() => {
      goBack(held, sides, gradients);
    });
    return { loss, ...activityOf(top, width), unexplained: unexplainedOf(values, restored, inputSize) };
  } finally {
    dispose(tensors);
  }
}

function hold({ trainables }: FlatParameters, values: Float32Array, keep: (made: Tensor) => Tensor): Held {
  const [encoder, decoder, encoderBias, decoderBias] = saeParameterNames.map((name) =>
    trainables.find((each) => each.name === name)!,
  ) as [Trainable, Trainable, Trainable, Trainable];
  const inputSize = decoder.tensor.shape[1]!;
  const x = keep(tensor(values, [values.length / inputSize, inputSize]));
  const gain = keep(tensor(new Float32Array(inputSize).fill(1 / Math.sqrt(inputSize)), [inputSize]));
  const normed = run(rmsNormOp, [decoder.tensor, gain], { epsilon: SMALLEST_SQUARE }).map(keep);
  const [unit, rstd] = normed as [Tensor, Tensor];
  return { x, encoder, decoder, encoderBias, decoderBias, gain, unit, rstd };
}

/** The way back: codes are their pre-activations where they are positive, and constants 0 elsewhere. */
function goBack(held: Held, sides: readonly Side[], gradients: Tensor): void {
  const { x, encoder, decoder, encoderBias, decoderBias, gain, unit, rstd } = held;
  for (const [index, { codes, upstream }] of sides.entries()) {
    const unitGradient = matmul(codes, upstream, { form: "atb" }); // [width, inputSize]
    const [along] = run(rmsNormDxOp, [decoder.tensor, gain, rstd, unitGradient], {});
    accumulateAt(gradients, along!, decoder.offset);
    // The dead features rebuild an error, to which no bias is added.
    if (index === 0) accumulateAt(gradients, columnSum(upstream), decoderBias.offset);
    const back = masked(matmul(upstream, unit, { form: "abt" }), codes); // [rows, width]
    accumulateAt(gradients, matmul(back, x, { form: "atb" }), encoder.offset);
    accumulateAt(gradients, columnSum(back), encoderBias.offset);
  }
}

function activityOf(codes: Float32Array, width: number): Pick<SaeMeasures, "l0" | "isActive"> {
  const isActive = new Uint8Array(width);
  let count = 0;
  for (let place = 0; place < codes.length; place++) {
    if (!(codes[place]! > 0)) continue;
    isActive[place % width] = 1;
    count++;
  }
  return { isActive, l0: (count * width) / codes.length };
}

function unexplainedOf(values: Float32Array, restored: ArrayLike<number>, width: number): number {
  const meter = createVarianceMeter();
  meter.add(values, restored, width);
  return meter.unexplained();
}
