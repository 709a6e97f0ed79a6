/** Models and policies on which the kinds of pass are compared. */
import { loraModules } from "./config.ts";
import type { PassCase } from "./passResults.testing.ts";

/** Widths at which wrong sums over 2048 or wrong places in a vocabulary of 2003 show. */
const wide = {
  hiddenSize: 64,
  intermediateSize: 2048,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  vocabularySize: 2003,
};
const [query, , value, output, , up] = loraModules;

/** Rows with names, as `describe.each` takes them. */
export const passCases: readonly (PassCase & { readonly name: string })[] = [
  { name: "wide layers, adapters of rank 8 on all modules", model: wide },
  {
    name: "wide layers, a tied head and adapters of rank 1",
    model: { ...wide, hasTiedEmbeddings: true },
    policy: { loraRank: 1, loraAlpha: 2 },
  },
  { name: "adapters on queries and values alone", policy: { loraTargets: [query, value] } },
  { name: "adapters on up alone", policy: { loraTargets: [up] } },
  { name: "adapters on the attention's output alone", policy: { loraTargets: [output], loraRank: 1 } },
  { name: "biases on queries, keys and values, as in Qwen 2", model: { hasQkvBias: true } },
  { name: "biases on every linear", model: { hasQkvBias: true, hasOutputBias: true, hasMlpBias: true } },
  { name: "norms on queries and keys, as in Qwen 3", model: { hasQueryKeyNorm: true } },
  {
    name: "sliding windows in every other layer",
    model: {
      layerPattern: [
        { window: 3, rope: "main" },
        { window: null, rope: "main" },
      ],
    },
  },
  {
    name: "GELU, bounded scores and logits, a scaled embedding and half-turned heads",
    model: {
      activation: "geluTanh",
      attentionSoftCap: 2,
      logitSoftCap: 5,
      embeddingScale: 4,
      rotaryDims: 2,
    },
  },
  { name: "every weight, head apart", policy: { tuning: "full" } },
  {
    name: "every weight, head tied, with biases on every linear",
    model: { hasTiedEmbeddings: true, hasQkvBias: true, hasOutputBias: true, hasMlpBias: true },
    policy: { tuning: "full" },
  },
  { name: "adapters on the last layer alone", policy: { topLayers: 1 } },
  { name: "weights in 16 bits", layout: "f16" },
  { name: "weights in 8 bits", model: { ...wide, intermediateSize: 80 }, layout: "q8" },
  {
    name: "weights in 4 bits, head tied, adapters on up alone",
    model: { hasTiedEmbeddings: true },
    layout: "q4s",
    policy: { loraTargets: [up] },
  },
];
