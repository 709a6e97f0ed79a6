/** Rotation and attention over packed rows, forward and backward. */
import {
  attentionPackedGradient,
  attentionPre,
} from "../../src/engine/kernels/attention/attentionPackedBackward.ts";
import { attentionPacked } from "../../src/engine/kernels/attention/attentionPacked.ts";
import { causalRanges } from "../../src/engine/kernels/attention/causalRanges.ts";
import { qkNormRope } from "../../src/engine/kernels/rope/qkNormRope.ts";
import { ropePacked } from "../../src/engine/kernels/rope/ropePacked.ts";
import { ropeTable } from "../../src/engine/kernels/rope/ropeTable.ts";
import { copy, dispose } from "../../src/engine/tensor/run.ts";
import { gaussians, type KernelCase, type KernelInputs } from "./kernelCase.ts";
import { EPSILON } from "./openGroup.ts";

const LENGTH = 128;
const SEQUENCES = 2;
const ROWS = LENGTH * SEQUENCES;
const HEADS = { heads: 9, keyValueHeads: 3, headDim: 64 };
const WIDTH = (HEADS.heads + 2 * HEADS.keyValueHeads) * HEADS.headDim;
const ATTENTION = { ...HEADS, scale: 1 / Math.sqrt(HEADS.headDim) };
const shape = `${SEQUENCES} of ${LENGTH} rows, 9 / 3 heads of 64`;
const flops = 2 * SEQUENCES * LENGTH * LENGTH * HEADS.heads * HEADS.headDim;

function openTables({ tensor }: KernelInputs) {
  const { headDim } = HEADS;
  const ranges = causalRanges(Array.from({ length: SEQUENCES }, () => ({ prompt: LENGTH, branches: [] })));
  const table = ropeTable({ headDim, maxPositions: LENGTH, theta: 10_000 });
  const plane = (offset: number) =>
    tensor(
      table.filter((_, index) => index % 2 === offset),
      [1, LENGTH, 1, headDim / 2],
    );
  return {
    qkv: tensor(gaussians([ROWS, WIDTH], 1), [ROWS, WIDTH]),
    dOutput: tensor(gaussians([ROWS, HEADS.heads * headDim], 2), [ROWS, HEADS.heads * headDim]),
    keyRanges: tensor(ranges.keyRanges, [ROWS, 2 * ranges.keyRangeCount]),
    queryRanges: tensor(ranges.queryRanges, [ROWS, 2 * ranges.queryRangeCount]),
    turns: {
      table: tensor(table, [LENGTH, headDim / 2, 2]),
      positions: tensor(ranges.positions, [ROWS]),
    },
    cosines: plane(0),
    sines: plane(1),
    sizes: { ...HEADS, sequences: SEQUENCES, length: LENGTH },
  };
}

/** Two sequences with the heads of SmolLM2-135M. */
export const attentionKernels: readonly KernelCase[] = [
  {
    name: "ropePacked",
    shape,
    flops: 6 * ROWS * (HEADS.heads + HEADS.keyValueHeads) * HEADS.headDim,
    open: (inputs) => {
      const { qkv, turns, cosines, sines, sizes } = openTables(inputs);
      return {
        own: () => {
          const changed = copy(qkv);
          ropePacked(changed, turns, { ...HEADS, rotary: HEADS.headDim });
          return [changed];
        },
        tfjs: () => [inputs.stock.stockRope(qkv, { cosines, sines }, sizes)],
      };
    },
  },
  {
    name: "qkNormRope",
    shape,
    flops: 10 * ROWS * (HEADS.heads + HEADS.keyValueHeads) * HEADS.headDim,
    open: (inputs) => {
      const { qkv, turns, cosines, sines, sizes } = openTables(inputs);
      const gain = (seed: number) => inputs.tensor(gaussians([HEADS.headDim], seed), [HEADS.headDim]);
      const gains = { qGain: gain(3), kGain: gain(4) };
      const attrs = { ...HEADS, rotary: HEADS.headDim, epsilon: EPSILON };
      return {
        own: () => [qkNormRope(qkv, { ...gains, ...turns }, attrs)],
        tfjs: () => [
          inputs.stock.stockQkNormRope(qkv, { ...gains, cosines, sines, epsilon: EPSILON }, sizes),
        ],
      };
    },
  },
  {
    name: "attentionPacked",
    shape,
    flops: 2 * flops,
    open: (inputs) => {
      const { qkv, keyRanges, sizes } = openTables(inputs);
      const mask = inputs.tensor(inputs.stock.causalMask(sizes), [LENGTH, LENGTH]);
      return {
        own: () => {
          const { o, logSumExp } = attentionPacked(qkv, keyRanges, ATTENTION);
          dispose(logSumExp);
          return [o];
        },
        tfjs: () => [inputs.stock.stockAttention(qkv, mask, sizes)],
      };
    },
  },
  {
    name: "attentionPackedGradient",
    shape,
    flops: 5 * flops,
    open: (inputs) => {
      const { qkv, dOutput, keyRanges, queryRanges, turns, sizes } = openTables(inputs);
      const mask = inputs.tensor(inputs.stock.causalMask(sizes), [LENGTH, LENGTH]);
      const kept = attentionPacked(qkv, keyRanges, ATTENTION);
      const o = inputs.keep(kept.o);
      const logSumExp = inputs.keep(kept.logSumExp);
      return {
        own: () => {
          const delta = attentionPre({ dOutput, adapter: undefined, o }, HEADS);
          const states = { qkv, dOutput, logSumExp, delta, keyRanges, queryRanges, turns };
          const dqkv = attentionPackedGradient(states, { ...ATTENTION, rotary: 0 });
          dispose(delta);
          return [dqkv];
        },
        tfjs: () => [inputs.stock.stockAttentionGradient(qkv, dOutput, { mask, sizes })],
      };
    },
  },
];
