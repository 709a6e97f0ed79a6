import type { RopeScaling } from "../config.ts";
import { LARGEST, type Fields } from "./fields.ts";

/** How positions turn queries and keys. */
export interface Rotary {
  readonly theta: number;
  readonly scaling: RopeScaling | null;
  /** Share of each head that is turned. */
  readonly share: number;
}

/** What holds where the file says nothing. */
export interface RotaryDefaults {
  readonly theta: number;
  readonly share: number;
}

const LLAMA_ROTARY: RotaryDefaults = { theta: 10_000, share: 1 };

/**
 * Rotary positions in any of their spellings: `rope_theta` and `rope_scaling`, or `rope_parameters` with everything.
 * Throws `FileFormatError` for a scaling that is not supported.
 */
export function readRotary(fields: Fields, defaults: RotaryDefaults = LLAMA_ROTARY): Rotary {
  const parameters = fields.object("rope_parameters");
  const scaling = fields.object("rope_scaling") ?? parameters;
  const thetaFields = parameters?.json["rope_theta"] === undefined ? fields : parameters;
  return {
    theta: thetaFields.positive("rope_theta", defaults.theta),
    scaling: scaling === null ? null : readScaling(scaling),
    share: parameters?.positive("partial_rotary_factor", defaults.share) ?? defaults.share,
  };
}

function readScaling({ json, refuse, count, positive }: Fields): RopeScaling | null {
  const kindField = json["rope_type"] === undefined ? "type" : "rope_type";
  switch (json[kindField]) {
    case "default":
      return null;
    case "linear":
      return { type: "linear", factor: positive("factor") };
    case "llama3": {
      const lowFrequencyFactor = positive("low_freq_factor");
      const highFrequencyFactor = positive("high_freq_factor");
      if (highFrequencyFactor <= lowFrequencyFactor)
        refuse("high_freq_factor", `more than low_freq_factor, ${lowFrequencyFactor}`);
      return {
        type: "llama3",
        factor: positive("factor"),
        lowFrequencyFactor,
        highFrequencyFactor,
        originalMaxPositions: count("original_max_position_embeddings", LARGEST.positions),
      };
    }
    default:
      return refuse(kindField, '"default", "linear" or "llama3"');
  }
}
