import type { RopeScaling } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import { LARGEST, fieldsOf, type Fields } from "./fields.ts";
import { readGemma } from "./gemma2.ts";
import { readSlidingLayers, readWindows } from "./layerTypes.ts";
import { readRotary } from "./rotary.ts";

const GLOBAL_THETA = 1_000_000;
const LOCAL_THETA = 10_000;
/** Every so many layers one sees everything, where a file says nothing. */
const USUAL_PATTERN = 6;

interface TwoRotations {
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  readonly localRopeTheta: number;
}

/** Global layers have a slow rotation that may be stretched, local ones a fast one. */
function readRotations(fields: Fields): TwoRotations {
  const parameters = fields.object("rope_parameters");
  const global = parameters?.object("full_attention") ?? null;
  const local = parameters?.object("sliding_attention") ?? null;
  local?.only("rope_type", "default", "local layers are not stretched");
  const flat = { rope_theta: fields.json["rope_theta"], rope_scaling: fields.json["rope_scaling"] };
  const main = readRotary(
    fieldsOf(global === null ? flat : { ...flat, rope_parameters: global.json }, fields.file),
    { theta: GLOBAL_THETA, share: 1 },
  );
  const oldLocal = fields.positive("rope_local_base_freq", LOCAL_THETA);
  return {
    ropeTheta: main.theta,
    ropeScaling: main.scaling,
    localRopeTheta: local?.positive("rope_theta", oldLocal) ?? oldLocal,
  };
}

/** Gemma 3 without pictures: normalised queries and keys, and two rotations. */
export const gemma3: Architecture = {
  modelType: "gemma3_text",
  className: "Gemma3ForCausalLM",
  readConfig: (fields) => {
    const flat = fieldsOf({ ...fields.json, rope_parameters: null, rope_scaling: null }, fields.file);
    const config = readGemma(flat, "gemma3_text", { attention: null, logits: null });
    const pattern = fields.count("sliding_window_pattern", LARGEST.layers, USUAL_PATTERN);
    const isSliding = readSlidingLayers(fields, config.layers, (layer) => (layer + 1) % pattern !== 0);
    const windows = readWindows(fields, isSliding);
    return {
      ...config,
      ...readRotations(fields),
      hasQueryKeyNorm: true,
      layerPattern: windows.map((window) => ({ window, rope: window === null ? "main" : "local" })),
    };
  },
  hasGainsAboutZero: true,
};
