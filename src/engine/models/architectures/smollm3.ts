import type { Architecture } from "./architecture.ts";
import type { Fields } from "./fields.ts";
import { LARGEST } from "./fields.ts";
import { readSlidingLayers, readWindows } from "./layerTypes.ts";
import { readLlamaLike } from "./llama.ts";

/** Every so many layers one is not turned, where a file says nothing. */
const USUAL_INTERVAL = 4;

/** Whether positions turn each layer: `no_rope_layers` holds 1 for those that they do turn. */
function readTurned(fields: Fields, layers: number): boolean[] {
  const listed: unknown = fields.json["no_rope_layers"] ?? null;
  const interval = fields.count("no_rope_layer_interval", LARGEST.layers, USUAL_INTERVAL);
  if (listed === null) return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
  if (!Array.isArray(listed) || listed.length !== layers || !listed.every((turn) => turn === 0 || turn === 1))
    return fields.refuse("no_rope_layers", `a list of 0 or 1 for each of ${layers} layers`);
  return listed.map((turn) => turn === 1);
}

/** SmolLM 3: a Llama in which some layers know no positions. */
export const smollm3: Architecture = {
  modelType: "smollm3",
  className: "SmolLM3ForCausalLM",
  readConfig: (fields) => {
    fields.only("hidden_act", "silu");
    const config = readLlamaLike(fields, { architecture: "smollm3", isTied: true });
    const isTurned = readTurned(fields, config.layers);
    const slides =
      fields.flag("use_sliding_window", false) && (fields.json["sliding_window"] ?? null) !== null;
    const isSliding = readSlidingLayers(
      fields,
      config.layers,
      (layer) => slides && isTurned[layer] === false,
    );
    const windows = readWindows(fields, isSliding);
    const layerPattern = windows.map((window, layer) => ({
      window,
      rope: isTurned[layer] === true ? ("main" as const) : null,
    }));
    return { ...config, layerPattern };
  },
};
