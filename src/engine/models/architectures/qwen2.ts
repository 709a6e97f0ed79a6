import type { ModelConfig } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import type { Fields } from "./fields.ts";
import { readSlidingLayers, readWindows } from "./layerTypes.ts";
import { readLlamaLike } from "./llama.ts";

/** Windows as Qwen's files give them: `use_sliding_window` turns them on, from layer `max_window_layers`. */
export function readQwenWindows(fields: Fields, layers: number): Pick<ModelConfig, "layerPattern"> {
  const slides = fields.flag("use_sliding_window", false) && (fields.json["sliding_window"] ?? null) !== null;
  const firstSliding = fields.json["max_window_layers"] ?? 0;
  if (typeof firstSliding !== "number" || firstSliding < 0)
    return fields.refuse("max_window_layers", "a number of layers");
  const isSliding = readSlidingLayers(fields, layers, (layer) => slides && layer >= firstSliding);
  return { layerPattern: readWindows(fields, isSliding).map((window) => ({ window, rope: "main" })) };
}

/** Qwen 2 and 2.5: a Llama with biases on queries, keys and values. */
export const qwen2: Architecture = {
  modelType: "qwen2",
  className: "Qwen2ForCausalLM",
  readConfig: (fields) => {
    fields.only("hidden_act", "silu");
    const config = readLlamaLike(fields, { architecture: "qwen2", isTied: false });
    return { ...config, hasQkvBias: true, ...readQwenWindows(fields, config.layers) };
  },
};
