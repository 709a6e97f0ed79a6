/** The head over the vocabulary: statistics, gradients and drawn tokens. */
import { counterHash } from "../../src/engine/kernels/dropout/dropout.cpu.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  lmHeadWeightGradient,
  statisticColumn,
  statisticsWidth,
} from "../../src/engine/kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { sample } from "../../src/engine/kernels/sample/sample.ts";
import { copy } from "../../src/engine/tensor/run.ts";
import { gaussians, type KernelCase, type KernelInputs } from "./kernelCase.ts";
import { drawer, HIDDEN, ROWS } from "./openGroup.ts";

const VOCABULARY = 8192;
/** Of a head that trains: each block of its entries is a workgroup, which a software GPU takes long for. */
const SMALL_VOCABULARY = 1024;
/** Logits among which many tokens have a chance. */
const LOGIT_SPREAD = 3;
const DRAW = { temperature: 0.7, topK: 0, topP: 1, repetitionPenalty: 1, softCap: 0, seed: 11, step: 5 };

function openHead(inputs: KernelInputs, vocabulary = VOCABULARY) {
  const draw = drawer(inputs);
  const labels = Int32Array.from({ length: ROWS }, (_, row) => (row * 257) % vocabulary);
  return {
    hidden: draw(ROWS, HIDDEN),
    weight: draw(vocabulary, HIDDEN),
    labels: inputs.tensor(labels, [ROWS]),
  };
}

/** A head, its statistics, and an upstream in which only the log-prob has a gradient, dlogp [rows, 1]. */
function openHeadGradient(inputs: KernelInputs, vocabulary = VOCABULARY) {
  const head = openHead(inputs, vocabulary);
  const dlogps = Float32Array.from({ length: ROWS }, (_, row) => 1 + row / ROWS);
  const values = new Float32Array(ROWS * statisticsWidth);
  dlogps.forEach((value, row) => (values[row * statisticsWidth + statisticColumn.logp] = value));
  return {
    head,
    statistics: inputs.keep(lmHeadLogProbs(head)),
    upstream: inputs.tensor(values, [ROWS, statisticsWidth]),
    dlogp: inputs.tensor(dlogps, [ROWS, 1]),
  };
}

const headShape = (vocabulary: number) => `${ROWS}x${HIDDEN}, vocabulary ${vocabulary}`;

/** Over the rows that are scored, and over those that are continued. */
export const headKernels: readonly KernelCase[] = [
  {
    name: "lmHeadLogProbs",
    shape: headShape(VOCABULARY),
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
    name: "lmHeadLogProbs with KL",
    shape: headShape(VOCABULARY),
    flops: 4 * ROWS * HIDDEN * VOCABULARY,
    open: (inputs) => {
      const head = {
        ...openHead(inputs),
        reference: inputs.tensor(gaussians([ROWS, HIDDEN], 11), [ROWS, HIDDEN]),
      };
      return {
        own: () => [lmHeadLogProbs(head)],
        tfjs: () => [inputs.stock.stockHead(head)],
      };
    },
  },
  {
    name: "lmHeadHiddenGradient",
    shape: headShape(VOCABULARY),
    flops: 4 * ROWS * HIDDEN * VOCABULARY,
    open: (inputs) => {
      const { head, statistics, upstream, dlogp } = openHeadGradient(inputs);
      return {
        own: () => [lmHeadHiddenGradient(head, statistics, upstream)],
        tfjs: () => [inputs.stock.stockHeadGradient(head, dlogp)],
      };
    },
  },
  {
    name: "lmHeadWeightGradient",
    shape: headShape(SMALL_VOCABULARY),
    flops: 4 * ROWS * HIDDEN * SMALL_VOCABULARY,
    open: (inputs) => {
      const { head, statistics, upstream, dlogp } = openHeadGradient(inputs, SMALL_VOCABULARY);
      return {
        own: () => [lmHeadWeightGradient(head, statistics, upstream)],
        tfjs: () => [inputs.stock.stockHeadWeightGradient(head, dlogp)],
      };
    },
  },
  {
    name: "sample",
    shape: `${ROWS} rows, vocabulary ${VOCABULARY}, temperature ${DRAW.temperature}`,
    flops: 4 * ROWS * VOCABULARY,
    open: ({ tensor, stock }) => {
      const logits = tensor(gaussians([ROWS, VOCABULARY], 1, LOGIT_SPREAD), [ROWS, VOCABULARY]);
      const streams = Int32Array.from({ length: ROWS }, (_, row) => row);
      const tensors = {
        streams: tensor(streams, [ROWS]),
        chosen: tensor(new Int32Array(ROWS), [ROWS]),
        seen: null,
      };
      // Both sides draw with the same fractions.
      const fractions = Float32Array.from(
        streams,
        (stream) => counterHash(DRAW.seed, stream, DRAW.step) / 2 ** 32,
      );
      const drawn = tensor(fractions, [ROWS, 1]);
      return {
        own: () => {
          sample(logits, tensors, DRAW);
          return [copy(tensors.chosen)];
        },
        tfjs: () => [stock.stockSample(logits, drawn, DRAW.temperature)],
      };
    },
  },
];
