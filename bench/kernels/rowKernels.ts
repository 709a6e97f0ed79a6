/** Operations on single rows that layers on the tape are made of. */
import { embedding } from "../../src/engine/kernels/embedding/embedding.ts";
import { layerNorm } from "../../src/engine/kernels/layerNorm/layerNorm.ts";
import { rmsNorm } from "../../src/engine/kernels/rmsNorm/rmsNorm.ts";
import { tidy } from "../../src/engine/tensor/run.ts";
import type { KernelCase } from "./kernelCase.ts";
import { drawer, EPSILON, HIDDEN } from "./openGroup.ts";

/** As many as a batch of the embedded model has, about. */
const ROWS = 512;
const VOCABULARY = 8192;

/** At the width of SmolLM2-135M; norms also give what their way back reads, which nobody keeps here. */
export const rowKernels: readonly KernelCase[] = [
  {
    name: "embedding",
    shape: `${ROWS} of ${VOCABULARY}x${HIDDEN}`,
    flops: ROWS * HIDDEN,
    open: (inputs) => {
      const weight = drawer(inputs)(VOCABULARY, HIDDEN);
      const ids = Int32Array.from({ length: ROWS }, (_, row) => (row * 257) % VOCABULARY);
      const tokens = inputs.tensor(ids, [ROWS]);
      return {
        own: () => [embedding(tokens, weight)],
        tfjs: () => [inputs.stock.stockEmbedding(tokens, weight)],
      };
    },
  },
  {
    name: "rmsNorm",
    shape: `${ROWS}x${HIDDEN}`,
    flops: 4 * ROWS * HIDDEN,
    open: (inputs) => {
      const draw = drawer(inputs);
      const [x, gain] = [draw(ROWS, HIDDEN), draw(HIDDEN)];
      return {
        own: () => [tidy(() => rmsNorm(x, gain, EPSILON))],
        tfjs: () => [inputs.stock.stockRmsNorm(x, gain, EPSILON)],
      };
    },
  },
  {
    name: "layerNorm",
    shape: `${ROWS}x${HIDDEN}`,
    flops: 7 * ROWS * HIDDEN,
    open: (inputs) => {
      const draw = drawer(inputs);
      const [x, gain, bias] = [draw(ROWS, HIDDEN), draw(HIDDEN), draw(HIDDEN)];
      return {
        own: () => [tidy(() => layerNorm(x, { gain, bias, epsilon: EPSILON }))],
        tfjs: () => [inputs.stock.stockLayerNorm(x, { gain, bias, epsilon: EPSILON })],
      };
    },
  },
];
