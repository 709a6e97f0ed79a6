/** Groups of linears with their adapters, forward and backward. */
import { linearDown } from "../../src/engine/kernels/groupLinear/linearDown.ts";
import { linearGradient } from "../../src/engine/kernels/groupLinear/linearGradient.ts";
import { linearUp, linearUpAct } from "../../src/engine/kernels/groupLinear/linearUp.ts";
import { loraGradient } from "../../src/engine/kernels/loraGradient/loraGradient.ts";
import type { WeightLayout } from "../../src/engine/kernels/weightLayout/weightLayout.ts";
import { copy } from "../../src/engine/tensor/run.ts";
import type { KernelCase } from "./kernelCase.ts";
import {
  downGroup,
  gateUp,
  gateUpGroup,
  groupFlops,
  groupShape,
  HIDDEN,
  INTERMEDIATE,
  openGroup,
  qkvGroup,
  RANK,
  ROWS,
  SCALE,
} from "./openGroup.ts";

/** The stock side knows no packed weights: it multiplies by one that was unpacked before. */
function linearUpIn(layout: WeightLayout): KernelCase {
  const packed = layout === "f32" ? "" : ` in ${layout}, stock dequantised once`;
  return {
    name: `linearUp: query, key, value${packed}`,
    shape: groupShape(qkvGroup),
    flops: groupFlops(qkvGroup),
    open: (inputs) => {
      const { draw, ranks, weight, plain, adapter, bs } = openGroup(inputs, qkvGroup, layout);
      const [x, xa] = [draw(ROWS, HIDDEN), draw(ROWS, ranks)];
      return {
        own: () => [linearUp(x, weight, { adapter, xa })],
        tfjs: () => [inputs.stock.stockLinearUp(x, plain, { xa, bs, scale: SCALE })],
      };
    },
  };
}

function linearUpActWith(activation: "silu" | "geluTanh"): KernelCase {
  return {
    name: `linearUpAct: gate, up and ${activation === "silu" ? "silu" : "gelu (geglu)"}`,
    shape: groupShape(gateUpGroup),
    flops: groupFlops(gateUpGroup),
    open: (inputs) => {
      const { draw, ranks, weight, plain, adapter, bs } = openGroup(inputs, gateUpGroup);
      const [x, xa] = [draw(ROWS, HIDDEN), draw(ROWS, ranks)];
      return {
        own: () => {
          const { a, gu } = linearUpAct(x, weight, { adapter, xa, activation, keeps: true });
          return gu === undefined ? [a] : [a, gu];
        },
        tfjs: () => inputs.stock.stockLinearUpAct(x, plain, { xa, bs, scale: SCALE, activation }),
      };
    },
  };
}

/** In the order of a layer, then the way back. */
export const groupKernels: readonly KernelCase[] = [
  linearUpIn("f32"),
  linearUpIn("q8"),
  linearUpIn("q4m"),
  linearUpActWith("silu"),
  linearUpActWith("geluTanh"),
  {
    name: "linearDown: down",
    shape: groupShape(downGroup),
    flops: groupFlops(downGroup),
    open: (inputs) => {
      const { draw, weight, plain, adapter, a } = openGroup(inputs, downGroup);
      const x = draw(ROWS, INTERMEDIATE);
      return {
        own: () => {
          const { y, ya } = linearDown(x, weight, { adapter });
          return ya === undefined ? [y] : [y, ya];
        },
        tfjs: () => inputs.stock.stockLinearDown(x, plain, a),
      };
    },
  },
  {
    name: "linearGradient: gate and up",
    shape: groupShape(gateUpGroup),
    flops: groupFlops(gateUpGroup),
    open: (inputs) => {
      const { draw, outputs, weight, plain, adapter, bs } = openGroup(inputs, gateUpGroup);
      const dy = draw(ROWS, outputs);
      return {
        own: () => {
          const { dx, dxa } = linearGradient(dy, weight, { adapter });
          return dxa === undefined ? [dx] : [dx, dxa];
        },
        tfjs: () => inputs.stock.stockLinearGradient(dy, plain, { bs, scale: SCALE }),
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
