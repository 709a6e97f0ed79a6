/** AdamW over all trained parameters, with one global gradient norm (Loshchilov & Hutter, arXiv 1711.05101). */
import { adamwClip, gradientSquares } from "../kernels/adamw/adamw.ts";
import { clear, dispose, read, tidy, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { FlatParameters } from "../adapters/parameters.ts";

/** AdamW's constants; the learning rate comes with every step. */
export interface OptimizerSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Global-norm limit; 0 switches clipping off. */
  readonly maxGradNorm: number;
}

/** PyTorch's defaults. */
export const adamwDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** An optimizer and its state on the device. */
export interface Optimizer {
  /** [parameters] where backward passes add their gradients; `step` leaves it as it is, `clearGradients` empties it. */
  readonly gradients: Tensor;
  readonly clearGradients: () => void;
  /** Updates every parameter in place and returns the gradient norm before clipping. A non-finite norm changes nothing. */
  readonly step: (learningRate: number) => Promise<number>;
  /** What `step` asks of the device: the same update, and [gradient norm], which the caller reads and disposes. */
  readonly update: (learningRate: number) => Tensor;
  /** Parameters and moments on the host, by name; the moments carry `.exp_avg` and `.exp_avg_sq`, PyTorch's names. */
  readonly save: () => Promise<Record<string, Float32Array>>;
  /** Puts a saved state back, exactly; throws when a name or size differs. */
  readonly restore: (saved: Readonly<Record<string, Float32Array>>, stepsTaken: number) => void;
  readonly dispose: () => void;
}

/** Creates an optimizer whose moments are zero. */
export function createOptimizer(
  { theta, trainables }: FlatParameters,
  settings: OptimizerSettings,
): Optimizer {
  const [gradients, first, second] = [zeros(theta.shape), zeros(theta.shape), zeros(theta.shape)];
  const states = [
    { suffix: "", flat: theta },
    { suffix: ".exp_avg", flat: first },
    { suffix: ".exp_avg_sq", flat: second },
  ];
  let stepsTaken = 0;

  const update = (learningRate: number): Tensor => {
    const count = stepsTaken + 1;
    const biasCorrection1 = 1 - settings.beta1 ** count;
    const biasCorrection2 = 1 - settings.beta2 ** count;
    return tidy(() =>
      adamwClip(
        { theta, m: first, v: second, gradients, squares: gradientSquares(gradients) },
        { ...settings, learningRate, biasCorrection1, biasCorrection2 },
      ),
    );
  };

  return {
    gradients,
    clearGradients: () => {
      clear(gradients);
    },
    update,
    step: async (learningRate) => {
      const report = update(learningRate);
      try {
        const [gradientNorm = NaN] = await read(report);
        if (Number.isFinite(gradientNorm)) stepsTaken++;
        return gradientNorm;
      } finally {
        dispose(report);
      }
    },
    save: async () => {
      const saved: Record<string, Float32Array> = {};
      for (const { suffix, flat } of states) {
        const values = Float32Array.from(await read(flat));
        for (const {
          name,
          offset,
          tensor: { size },
        } of trainables) {
          saved[name + suffix] = values.slice(offset, offset + size);
        }
      }
      return saved;
    },
    restore: (saved, steps) => {
      for (const { suffix, flat } of states) {
        const values = new Float32Array(flat.size);
        for (const {
          name,
          offset,
          tensor: { size },
        } of trainables) {
          values.set(valuesOf(saved, name + suffix, size), offset);
        }
        write(flat, values);
      }
      stepsTaken = steps;
    },
    dispose: () => {
      dispose([gradients, first, second]);
    },
  };
}

function valuesOf(saved: Readonly<Record<string, Float32Array>>, name: string, count: number): Float32Array {
  const values = saved[name];
  if (values?.length === count) return values;
  throw new Error(
    `The checkpoint has ${values?.length ?? "no"} values for "${name}", this run needs ${count}.`,
  );
}
