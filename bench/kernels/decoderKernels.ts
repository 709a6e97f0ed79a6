/** The kernels of a fused decoder layer, of its head and of the optimizer, at the widths of SmolLM2-135M. */
import { adamwClip, gradientSquares } from "../../src/engine/kernels/adamw/adamw.ts";
import { addNorm } from "../../src/engine/kernels/addNorm/addNorm.ts";
import { addNormGradient } from "../../src/engine/kernels/addNorm/addNormGradient.ts";
import { linearDown } from "../../src/engine/kernels/groupLinear/linearDown.ts";
import { linearGradient } from "../../src/engine/kernels/groupLinear/linearGradient.ts";
import { linearUp, linearUpAct } from "../../src/engine/kernels/groupLinear/linearUp.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
} from "../../src/engine/kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { statisticsWidth } from "../../src/engine/kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { loraGradient } from "../../src/engine/kernels/loraGradient/loraGradient.ts";
import { mlpActGradient } from "../../src/engine/kernels/mlpAct/mlpActGradient.ts";
import { copy, dispose } from "../../src/engine/tensor/run.ts";
import type { Tensor } from "../../src/engine/tensor/tfjs.ts";
import { gaussians, type KernelCase, type KernelInputs } from "./kernelCase.ts";

/** Few, so that a software GPU is done in seconds. */
const ROWS = 32;
const HIDDEN = 576;
const INTERMEDIATE = 1536;
const RANK = 8;
const SCALE = 2;
const EPSILON = 1e-5;
const VOCABULARY = 8192;
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

/** Queries, keys and values; gate and up. */
const qkv = [576, 192, 192].map((columns) => ({ columns, rank: RANK }));
const gateUp = [INTERMEDIATE, INTERMEDIATE].map((columns) => ({ columns, rank: RANK }));
const down = [{ columns: HIDDEN, rank: RANK }];

/** Small random tensors, each unlike the others. */
function drawer({ tensor }: KernelInputs): (...shape: number[]) => Tensor {
  let seed = 1;
  return (...shape) => tensor(gaussians(shape, seed++, 1 / Math.sqrt(shape.at(-1) ?? 1)), shape);
}

interface Group {
  readonly segments: readonly { readonly columns: number; readonly rank: number }[];
  readonly inputs: number;
}

/** A group's weight, its adapter inside flat parameters, and the factors once more by themselves for the other side. */
function openGroup(inputs: KernelInputs, group: Group) {
  const draw = drawer(inputs);
  const outputs = group.segments.reduce((sum, { columns }) => sum + columns, 0);
  const ranks = group.segments.reduce((sum, { rank }) => sum + rank, 0);
  const a = gaussians([ranks, group.inputs], 101, 1 / Math.sqrt(group.inputs));
  const bs = group.segments.map(({ columns, rank }, index) => gaussians([columns, rank], 102 + index, 0.1));
  const flat = Float32Array.from([...a, ...bs.flatMap((b) => [...b])]);
  return {
    draw,
    outputs,
    ranks,
    weight: draw(outputs, group.inputs),
    adapter: {
      theta: inputs.tensor(flat, [flat.length]),
      segments: group.segments,
      aOffset: 0,
      bOffset: a.length,
      scale: SCALE,
    },
    a: inputs.tensor(a, [ranks, group.inputs]),
    bs: bs.map((b, index) => inputs.tensor(b, [group.segments[index]?.columns ?? 0, RANK])),
  };
}

const groupFlops = ({ segments, inputs }: Group): number =>
  2 * ROWS * inputs * segments.reduce((sum, { columns }) => sum + columns, 0);

const groupShape = ({ segments, inputs }: Group): string =>
  `${ROWS}x${inputs} to ${segments.map(({ columns }) => columns).join(" + ")}, rank ${RANK}`;

const qkvGroup: Group = { segments: qkv, inputs: HIDDEN };
const gateUpGroup: Group = { segments: gateUp, inputs: HIDDEN };
const downGroup: Group = { segments: down, inputs: INTERMEDIATE };

const groupKernels: readonly KernelCase[] = [
  {
    name: "linearUp: query, key, value",
    shape: groupShape(qkvGroup),
    flops: groupFlops(qkvGroup),
    open: (inputs) => {
      const { draw, ranks, weight, adapter, bs } = openGroup(inputs, qkvGroup);
      const [x, xa] = [draw(ROWS, HIDDEN), draw(ROWS, ranks)];
      return {
        own: () => [linearUp(x, weight, { adapter, xa })],
        tfjs: () => [inputs.stock.stockLinearUp(x, weight, { xa, bs, scale: SCALE })],
      };
    },
  },
  {
    name: "linearUpAct: gate, up and silu",
    shape: groupShape(gateUpGroup),
    flops: groupFlops(gateUpGroup),
    open: (inputs) => {
      const { draw, ranks, weight, adapter, bs } = openGroup(inputs, gateUpGroup);
      const [x, xa] = [draw(ROWS, HIDDEN), draw(ROWS, ranks)];
      return {
        own: () => {
          const { a, gu } = linearUpAct(x, weight, { adapter, xa, activation: "silu", keeps: true });
          return gu === undefined ? [a] : [a, gu];
        },
        tfjs: () => inputs.stock.stockLinearUpAct(x, weight, { xa, bs, scale: SCALE }),
      };
    },
  },
  {
    name: "linearDown: down",
    shape: groupShape(downGroup),
    flops: groupFlops(downGroup),
    open: (inputs) => {
      const { draw, weight, adapter, a } = openGroup(inputs, downGroup);
      const x = draw(ROWS, INTERMEDIATE);
      return {
        own: () => {
          const { y, ya } = linearDown(x, weight, { adapter });
          return ya === undefined ? [y] : [y, ya];
        },
        tfjs: () => inputs.stock.stockLinearDown(x, weight, a),
      };
    },
  },
  {
    name: "linearGradient: gate and up",
    shape: groupShape(gateUpGroup),
    flops: groupFlops(gateUpGroup),
    open: (inputs) => {
      const { draw, outputs, weight, adapter, bs } = openGroup(inputs, gateUpGroup);
      const dy = draw(ROWS, outputs);
      return {
        own: () => {
          const { dx, dxa } = linearGradient(dy, weight, { adapter });
          return dxa === undefined ? [dx] : [dx, dxa];
        },
        tfjs: () => inputs.stock.stockLinearGradient(dy, weight, { bs, scale: SCALE }),
      };
    },
  },
  {
    name: "loraGradient: gate and up",
    shape: groupShape(gateUpGroup),
    flops: 4 * ROWS * RANK * (HIDDEN + 2 * INTERMEDIATE),
    open: (inputs) => {
      const { draw, outputs, ranks, adapter } = openGroup(inputs, gateUpGroup);
      const [x, xa] = [draw(ROWS, HIDDEN), draw(ROWS, ranks)];
      const [dy, dxa] = [draw(ROWS, outputs), draw(ROWS, ranks)];
      const gtheta = draw(adapter.theta.size);
      return {
        own: () => {
          loraGradient({ dxa, x, dy, xa, gtheta }, adapter, { xaOffset: 0, accumulates: false });
          return [copy(gtheta)];
        },
        tfjs: () => [inputs.stock.stockLoraGradient({ dxa, x, dy, xa }, { segments: gateUp, scale: SCALE })],
      };
    },
  },
];

const rowKernels: readonly KernelCase[] = [
  {
    name: "addNorm",
    shape: `${ROWS}x${HIDDEN}, rank ${RANK} before, ${3 * RANK} after`,
    flops: 2 * ROWS * HIDDEN * 4 * RANK,
    open: (inputs) => {
      const { draw, adapter, a, bs, ranks } = openGroup(inputs, { segments: [...qkv], inputs: HIDDEN });
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

function openHead(inputs: KernelInputs) {
  const draw = drawer(inputs);
  const labels = Int32Array.from({ length: ROWS }, (_, row) => (row * 257) % VOCABULARY);
  return {
    hidden: draw(ROWS, HIDDEN),
    weight: draw(VOCABULARY, HIDDEN),
    labels: inputs.tensor(labels, [ROWS]),
  };
}

const headShape = `${ROWS}x${HIDDEN}, vocabulary ${VOCABULARY}`;

const headKernels: readonly KernelCase[] = [
  {
    name: "lmHeadLogProbs",
    shape: headShape,
    flops: 2 * ROWS * HIDDEN * VOCABULARY,
    open: (inputs) => {
      const head = openHead(inputs);
      return {
        own: () => [lmHeadLogProbs(head)],
        tfjs: () => [inputs.stock.stockHead(head)],
      };
    },
  },
  {
    name: "lmHeadHiddenGradient",
    shape: headShape,
    flops: 4 * ROWS * HIDDEN * VOCABULARY,
    open: (inputs) => {
      const head = openHead(inputs);
      const statistics = inputs.keep(lmHeadLogProbs(head));
      // Only the log-prob has a gradient.
      const upstream = Float32Array.from({ length: ROWS * statisticsWidth }, (_, index) =>
        index % statisticsWidth === 0 ? 1 + index / ROWS : 0,
      );
      const dlogp = inputs.tensor(
        upstream.filter((_, index) => index % statisticsWidth === 0),
        [ROWS, 1],
      );
      const given = inputs.tensor(upstream, [ROWS, statisticsWidth]);
      return {
        own: () => [lmHeadHiddenGradient(head, statistics, given)],
        tfjs: () => [inputs.stock.stockHeadGradient(head, dlogp)],
      };
    },
  },
];

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

/** In the order of a step. */
export const decoderKernels: readonly KernelCase[] = [
  ...groupKernels,
  ...rowKernels,
  ...headKernels,
  ...optimizerKernels,
];
