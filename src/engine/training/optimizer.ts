/** AdamW over all trained parameters, with one global gradient norm (Loshchilov & Hutter, arXiv 1711.05101). */
import { adamwStep, sumSquares } from "../kernels/adamw/adamw.ts";
import type { Trainable } from "../adapters/lora.ts";
import { dispose, read, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { Gradients } from "./gradients.ts";

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

/** Moments of one parameter. */
interface Moments {
  readonly first: Tensor;
  readonly second: Tensor;
}

/** An optimizer and its state on the device. */
export interface Optimizer {
  /** Updates every parameter in place and returns the gradient norm before clipping. A non-finite norm changes nothing. */
  readonly step: (gradients: Gradients, learningRate: number) => Promise<number>;
  /** Parameters and moments on the host, by name; the moments carry `.exp_avg` and `.exp_avg_sq`, PyTorch's names. */
  readonly save: () => Promise<Record<string, Float32Array>>;
  /** Puts a saved state back, exactly; throws when a name or size differs. */
  readonly restore: (saved: Readonly<Record<string, Float32Array>>, stepsTaken: number) => void;
  readonly dispose: () => void;
}

/** Creates an optimizer whose moments are zero. */
export function createOptimizer(trainables: readonly Trainable[], settings: OptimizerSettings): Optimizer {
  const moments = new Map<string, Moments>(
    trainables.map(({ name, tensor: parameter }) => [
      name,
      { first: zeros(parameter.shape), second: zeros(parameter.shape) },
    ]),
  );
  const squares = zeros([trainables.length]); // [parameters] sum of squared gradients of each
  let stepsTaken = 0;

  const named = (): [string, Tensor][] =>
    trainables.flatMap(({ name, tensor: parameter }) => {
      const own = momentsOf(moments, name);
      return [
        [name, parameter],
        [`${name}.exp_avg`, own.first],
        [`${name}.exp_avg_sq`, own.second],
      ] satisfies [string, Tensor][];
    });

  return {
    step: async (gradients, learningRate) => {
      trainables.forEach(({ name }, slot) => {
        sumSquares(gradientOf(gradients, name), squares, { slot });
      });
      const count = stepsTaken + 1;
      for (const { name, tensor: parameter } of trainables) {
        const { first: m, second: v } = momentsOf(moments, name);
        const gradient = gradientOf(gradients, name);
        adamwStep(
          { theta: parameter, m, v, gradient, totals: squares },
          {
            ...settings,
            learningRate,
            biasCorrection1: 1 - settings.beta1 ** count,
            biasCorrection2: 1 - settings.beta2 ** count,
          },
        );
      }
      const gradientNorm = Math.sqrt(
        Float64Array.from(await read(squares)).reduce((sum, square) => sum + square, 0),
      );
      if (Number.isFinite(gradientNorm)) stepsTaken = count;
      return gradientNorm;
    },
    save: async () => {
      const saved: Record<string, Float32Array> = {};
      for (const [name, values] of named()) saved[name] = Float32Array.from(await read(values));
      return saved;
    },
    restore: (saved, steps) => {
      for (const [name, target] of named()) {
        const values = saved[name];
        if (values?.length !== target.size) {
          throw new Error(
            `The checkpoint has ${values?.length ?? "no"} values for "${name}", this run needs ${target.size}.`,
          );
        }
        write(target, values);
      }
      stepsTaken = steps;
    },
    dispose: () => {
      dispose([squares, ...[...moments.values()].flatMap(({ first, second }) => [first, second])]);
    },
  };
}

function momentsOf(moments: ReadonlyMap<string, Moments>, name: string): Moments {
  const own = moments.get(name);
  if (own === undefined) throw new Error(`The optimizer does not know "${name}".`);
  return own;
}

function gradientOf(gradients: Gradients, name: string): Tensor {
  const gradient = gradients.get(name);
  if (gradient === undefined) throw new Error(`No gradient reached "${name}".`);
  return gradient;
}
