/** The layers of a pass from the first to the last and back: what every loss on a decoder shares, wherever it reads the states. */
import { isEmbedding, type Model } from "../models/decoder.ts";
import { openPass } from "../models/openPass.ts";
import { ownedBy, type DecoderPass, type GradientSink, type Keeps, type PassSetup } from "../models/pass.ts";
import type { Rows } from "../models/rows.ts";
import { dispose } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { Parts } from "./parts.ts";

/** What a walk works on; `keeps` trades memory for a second forward pass of every layer. */
export interface WalkSetup extends Omit<PassSetup, "rows" | "keeps" | "keepsFrom"> {
  readonly keeps: Exclude<Keeps, "nothing">;
  readonly sink: GradientSink;
}

/** A pass that keeps what its way back needs, down to the lowest layer that trains. */
export function openWalk({ model, weights, keeps, sink }: WalkSetup, rows: Rows): DecoderPass {
  return openPass({ model, weights, rows, keeps, keepsFrom: Math.max(0, lowestTrained(model, sink)) });
}

/** The lowest layer that trains; -1 when the embedding below it does. */
function lowestTrained({ config }: Model, sink: GradientSink): number {
  if (ownedBy(sink, isEmbedding).length > 0) return -1;
  const trains = (layer: number) =>
    ownedBy(sink, (name) => name.startsWith(`model.layers.${layer}.`)).length > 0;
  return Array.from({ length: config.layers }, (_, layer) => layer).findIndex(trains);
}

/** From tokens through all layers; `after` is called behind each. Yields between layers. */
export function* layersForward(
  walk: DecoderPass,
  { config }: Model,
  after: (layer: number) => void = () => undefined,
): Parts<void> {
  walk.embed();
  for (let layer = 0; layer < config.layers; layer++) {
    walk.forward(layer);
    after(layer);
    yield;
  }
}

/**
 * From the gradient of the scored hidden states [entries, hidden], which it disposes, to those of the decoder's trained
 * parameters; `before` is called before each layer, with the gradient of its output flowing. Yields between layers.
 */
export function* layersBackward(
  { model, sink }: Pick<WalkSetup, "model" | "sink">,
  walk: DecoderPass,
  dHidden: Tensor,
  before: (layer: number) => void = () => undefined,
): Parts<void> {
  try {
    walk.backwardScored(dHidden, sink);
  } finally {
    dispose(dHidden);
  }
  const lowest = lowestTrained(model, sink);
  const layers = Array.from({ length: model.config.layers }, (_, layer) => layer);
  // Below the lowest trained layer nobody reads a gradient.
  for (const layer of layers.slice(Math.max(0, lowest)).toReversed()) {
    before(layer);
    walk.backward(layer, sink, { isLowest: layer === lowest });
    yield;
  }
  if (lowest < 0) walk.backwardEmbed(sink);
}
