/** The other kernels of a decoder layer, its head and the optimizer. */
import { rmsNorm } from "../../src/engine/kernels/rmsNorm/rmsNorm.ts";
import { gaussians, type KernelCase } from "./kernelCase.ts";

const ROWS = 512;
const HIDDEN = 576;
const EPSILON = 1e-5;

/** At a batch of 512 tokens and the widths of SmolLM2-135M. */
export const decoderKernels: readonly KernelCase[] = [
  {
    name: "rmsNorm",
    shape: `${ROWS}x${HIDDEN}`,
    flops: 4 * ROWS * HIDDEN,
    open: ({ tensor, stock }) => {
      const x = tensor(gaussians([ROWS, HIDDEN], 1), [ROWS, HIDDEN]);
      const gain = tensor(gaussians([HIDDEN], 2), [HIDDEN]);
      return {
        own: () => [rmsNorm(x, gain, EPSILON)],
        tfjs: () => [stock.stockRmsNorm(x, gain, EPSILON)],
      };
    },
  },
];
