/** What a step holds on the device, from the shape of the model and of its batches alone. */
import type { ModelConfig } from "../models/config.ts";
import { hasFusedShape } from "../models/fusedPass.ts";
import type { Keeps } from "../models/pass.ts";
import type { RunConfig } from "./config.ts";

/** Settings that change what a step holds. */
export type StepSettings = Pick<
  RunConfig,
  "tuning" | "loraRank" | "loraDropout" | "topLayers" | "checkpointing"
>;

/** What a step keeps of its layers. */
export type StepKeeps = Exclude<Keeps, "nothing">;

const BYTES_PER_NUMBER = 4;
/** Up to here layers are kept whole, because computing them again takes a third as long as a step. */
const CHEAP_BYTES = 256 * 2 ** 20;

/** Numbers per row that one layer computes and its backward pass reads; adapters count as on all seven linears. */
export function layerNumbers(config: ModelConfig, { tuning, loraRank }: StepSettings): number {
  const { hiddenSize, intermediateSize, heads } = config;
  const { query, keyValue } = widths(config);
  const rank = tuning === "lora" ? loraRank : 0;
  const attention = 2 * hiddenSize + (1 + 3 * rank) + (query + 2 * keyValue) + query + heads + rank;
  const mlp = 2 * hiddenSize + (1 + 2 * rank) + 3 * intermediateSize + rank;
  return attention + mlp + (config.hasQueryKeyNorm ? query + 2 * keyValue : 0);
}

/** Whether the layers of a batch of `rows` are kept whole or computed again. */
export function keepsOf(config: ModelConfig, settings: StepSettings, rows: number): StepKeeps {
  if (settings.checkpointing === "on" || !runsFused(config, settings)) return "layerInputs";
  if (settings.checkpointing === "off") return "everything";
  const bytes = BYTES_PER_NUMBER * rows * keptLayers(config, settings) * layerNumbers(config, settings);
  return bytes <= CHEAP_BYTES ? "everything" : "layerInputs";
}

/** Whether a run's layers are fused; layers on the tape are always computed again on the way back. */
export function runsFused(config: ModelConfig, { tuning, loraDropout }: StepSettings): boolean {
  const isTaped = tuning === "lora" ? loraDropout > 0 : config.hasQueryKeyNorm;
  return hasFusedShape(config) && !isTaped;
}

/** Layers of which something is kept: those from the lowest that trains on. */
export function keptLayers({ layers }: ModelConfig, { tuning, topLayers }: StepSettings): number {
  return tuning === "lora" && topLayers > 0 ? Math.min(topLayers, layers) : layers;
}

function widths({ heads, keyValueHeads, headDim }: ModelConfig) {
  return { query: heads * headDim, keyValue: keyValueHeads * headDim };
}
