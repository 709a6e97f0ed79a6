import { LARGEST, type Fields } from "./fields.ts";

/** Which of `layers` layers see a window only: from the file's `layer_types`, else by `isSliding`. */
export function readSlidingLayers(
  fields: Fields,
  layers: number,
  isSliding: (layer: number) => boolean,
): boolean[] {
  const types: unknown = fields.json["layer_types"] ?? null;
  if (types === null) return Array.from({ length: layers }, (_, layer) => isSliding(layer));
  if (!Array.isArray(types) || types.length !== layers)
    return fields.refuse("layer_types", `a list of ${layers} layers`);
  return types.map((type) => {
    if (type === "sliding_attention" || type === "full_attention") return type === "sliding_attention";
    return fields.refuse("layer_types", '"sliding_attention" or "full_attention" for each layer');
  });
}

/** Window of each layer: `sliding_window` where it slides, else null. */
export function readWindows(fields: Fields, isSliding: readonly boolean[]): (number | null)[] {
  return isSliding.map((slides) => (slides ? fields.count("sliding_window", LARGEST.positions) : null));
}
