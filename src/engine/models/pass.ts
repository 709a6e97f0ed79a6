/** One walk through the layers of a decoder, forward and, if it keeps what that needs, backward. */
import type { Trainable } from "../adapters/parameters.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { Model } from "./decoder.ts";
import type { Rows, ScoredRows } from "./rows.ts";
import type { Weights } from "./weights.ts";

/** What a forward pass keeps for the backward pass: nothing, each layer's input, or all that the layer computed. */
export type Keeps = "nothing" | "layerInputs" | "everything";

/** Where a backward pass adds the gradients of parameters. */
export interface GradientSink {
  /** [parameters] */
  readonly flat: Tensor;
  readonly trainables: readonly Trainable[];
}

/** What a pass runs on. */
export interface PassSetup {
  readonly model: Model;
  readonly weights: Weights;
  readonly rows: Rows;
  readonly keeps: Keeps;
  /** Nothing is kept of the layers below this one, because the backward pass ends at it; 0 when left out. */
  readonly keepsFrom?: number;
}

/**
 * Forward: `embed`, `forward` for each layer from the first, then `stream` or `scored`. Backward: `backwardScored`,
 * `backward` for each layer from the last, `backwardEmbed`. `dispose` frees what is still held, at any point.
 */
export interface DecoderPass {
  readonly embed: () => void;
  readonly forward: (layer: number) => void;
  /** Residual stream after the last layer [rows, hidden]; the caller disposes it, and nothing may follow. */
  readonly stream: () => Tensor;
  /** Final hidden states of the scored rows [entries, hidden], after the last norm; the pass keeps them. */
  readonly scored: (scored: ScoredRows) => Tensor;
  /** Residual stream after the layers so far [rows, hidden], between two of them; the caller disposes it. */
  readonly residual: () => Tensor;
  /**
   * Lets `change` overwrite the residual stream [rows, hidden] after the layers so far, between two of them. Throws where
   * something is kept for a way back, which would not see the change.
   */
  readonly changeStream: (change: (stream: Tensor) => void) => void;
  /** Takes the gradient of the scored hidden states. */
  readonly backwardScored: (dHidden: Tensor, sink: GradientSink) => void;
  /** The lowest layer that trains passes no gradient on: `isLowest`. */
  readonly backward: (layer: number, sink: GradientSink, options: { readonly isLowest: boolean }) => void;
  /** Lets `change` add to the gradient [rows, hidden] of the stream that flows back, between two layers. */
  readonly changeGradient: (change: (dh: Tensor) => void) => void;
  readonly backwardEmbed: (sink: GradientSink) => void;
  readonly dispose: () => void;
}

/** Throws unless a pass keeps nothing, so that its stream may be changed. */
export function requireNoWayBack(keeps: Keeps): void {
  if (keeps !== "nothing") throw new Error(`The stream of a pass that keeps ${keeps} cannot be changed.`);
}

/** Parameters of a sink whose names fit. */
export function ownedBy(sink: GradientSink, owns: (name: string) => boolean): Trainable[] {
  return sink.trainables.filter(({ name }) => owns(name));
}
