import type { Architecture } from "./architecture.ts";
import { readLlamaLike } from "./llama.ts";
import { readQwenWindows } from "./qwen2.ts";

/** Qwen 3: a Llama whose heads normalise queries and keys. */
export const qwen3: Architecture = {
  modelType: "qwen3",
  className: "Qwen3ForCausalLM",
  readConfig: (fields) => {
    fields.only("hidden_act", "silu");
    const config = readLlamaLike(fields, { architecture: "qwen3", isTied: false });
    return { ...config, hasQueryKeyNorm: true, ...readQwenWindows(fields, config.layers) };
  },
};
