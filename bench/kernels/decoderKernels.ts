/** The kernels of a decoder layer, of its head and of the optimizer, at the widths of SmolLM2-135M. */
import { adamwClip, gradientSquares } from "../../src/engine/kernels/adamw/adamw.ts";
import { addNorm } from "../../src/engine/kernels/addNorm/addNorm.ts";
import { addNormGradient } from "../../src/engine/kernels/addNorm/addNormGradient.ts";
import { mlpActGradient } from "../../src/engine/kernels/mlpAct/mlpActGradient.ts";
import { copy, dispose } from "../../src/engine/tensor/run.ts";
import type { Tensor } from "../../src/engine/tensor/tfjs.ts";
import { groupKernels } from "./groupKernels.ts";
import { headKernels } from "./headKernels.ts";
import { gaussians, type KernelCase } from "./kernelCase.ts";
import {
  downGroup,
  EPSILON,
  HIDDEN,
  INTERMEDIATE,
  openGroup,
  qkvGroup,
  queryKeyValue,
  RANK,
  ROWS,
  SCALE,
} from "./openGroup.ts";
import { rowKernels } from "./rowKernels.ts";

const PARAMETERS = 1 << 18;
const ADAMW = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  biasCorrection1: 0.1,
  biasCorrection2: 1e-3,
};

const normKernels: readonly KernelCase[] = [
  {
    name: "addNorm",
    shape: `${ROWS}x${HIDDEN}, rank ${RANK} before, ${3 * RANK} after`,
    flops: 2 * ROWS * HIDDEN * 4 * RANK,
    open: (inputs) => {
      const { draw, adapter, a, bs, ranks } = openGroup(inputs, { segments: queryKeyValue, inputs: HIDDEN });
      const [x, y0, ya] = [draw(ROWS, HIDDEN), draw(ROWS, HIDDEN), draw(ROWS, RANK)];
      const gain = draw(HIDDEN);
      // The projection before has as many outputs as queries have columns, so their factor serves as its own.
      const [b] = bs as [Tensor];
      const options = { epsilon: EPSILON, downRank: ranks, loraScale: SCALE, bOffset: adapter.bOffset };
      return {
        own: () => {
          const { h, xn, aux } = addNorm({ x, y0, ya, gain, theta: adapter.theta }, options);
          return [h, xn, aux];
        },
        tfjs: () => inputs.stock.stockAddNorm({ x, y0, ya, gain, a, b }, { epsilon: EPSILON, scale: SCALE }),
      };
    },
  },
  {
    name: "addNormGradient",
    shape: `${ROWS}x${HIDDEN}, rank ${3 * RANK}`,
    flops: 2 * ROWS * HIDDEN * 3 * RANK,
    open: (inputs) => {
      const { draw, adapter, a, ranks } = openGroup(inputs, qkvGroup);
      const [h, dxn0, dxa] = [draw(ROWS, HIDDEN), draw(ROWS, HIDDEN), draw(ROWS, ranks)];
      const [gain, dh] = [draw(HIDDEN), draw(ROWS, HIDDEN)];
      const { theta } = adapter;
      const [xn, aux] = forwardNorm({ h, gain, theta, ranks });
      dispose(xn);
      inputs.keep(aux);
      return {
        own: () => {
          const changed = copy(dh);
          addNormGradient({ dxn0, dxa, theta, h, aux, gain, dh: changed });
          return [changed];
        },
        tfjs: () => [inputs.stock.stockAddNormGradient({ dxn0, dxa, a, h, aux, gain, dh })],
      };
    },
  },
  {
    name: "mlpActGradient",
    shape: `${ROWS}x${INTERMEDIATE}, rank ${RANK}`,
    flops: 2 * ROWS * INTERMEDIATE * RANK,
    open: (inputs) => {
      const { draw, adapter, a } = openGroup(inputs, downGroup);
      const { theta, aOffset } = adapter;
      const [da0, dxa, gu] = [draw(ROWS, INTERMEDIATE), draw(ROWS, RANK), draw(ROWS, 2 * INTERMEDIATE)];
      return {
        own: () => {
          const changed = copy(gu);
          mlpActGradient({ da0, adapter: { dxa, theta, aOffset }, gu: changed }, "silu");
          return [changed];
        },
        tfjs: () => [inputs.stock.stockMlpActGradient({ da0, dxa, a, gu })],
      };
    },
  },
];

interface NormInputs {
  readonly h: Tensor;
  readonly gain: Tensor;
  readonly theta: Tensor;
  readonly ranks: number;
}

function forwardNorm({ h, gain, theta, ranks }: NormInputs): readonly [Tensor, Tensor] {
  const { xn, aux } = addNorm({ x: h, gain, theta }, { epsilon: EPSILON, downRank: ranks });
  return [xn, aux];
}

const optimizerKernels: readonly KernelCase[] = [
  {
    name: "adamwClip",
    shape: `${PARAMETERS} parameters in one tensor`,
    flops: 16 * PARAMETERS,
    open: (inputs) => {
      const values = (seed: number) => inputs.tensor(gaussians([PARAMETERS], seed), [PARAMETERS]);
      const [theta, m, gradients] = [values(1), values(2), values(3)];
      const v = inputs.tensor(gaussians([PARAMETERS], 4).map(Math.abs), [PARAMETERS]);
      return {
        own: () => {
          const changed = { theta: copy(theta), m: copy(m), v: copy(v) };
          const squares = gradientSquares(gradients);
          dispose([adamwClip({ ...changed, gradients, squares }, ADAMW), squares]);
          return [changed.theta, changed.m, changed.v];
        },
        tfjs: () => inputs.stock.stockAdamw({ theta, m, v, gradients }, ADAMW),
      };
    },
  },
];

/** In the order of a step, about. */
export const decoderKernels: readonly KernelCase[] = [
  ...rowKernels,
  ...groupKernels,
  ...normKernels,
  ...headKernels,
  ...optimizerKernels,
];
