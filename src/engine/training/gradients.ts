/**
 * One forward and backward pass: forward keeping what the way back needs, statistics to the host, the objective in
 * float64 there, then the gradients of the layers from the last to the first. The same walk serves LoRA and full
 * fine-tuning, fused layers and layers on the tape.
 */
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  lmHeadWeightGradient,
  statisticsWidth,
  type HeadInputs,
} from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { headName, isEmbedding, type Model } from "../models/decoder.ts";
import { openPass } from "../models/openPass.ts";
import { ownedBy, type DecoderPass, type GradientSink, type Keeps, type PassSetup } from "../models/pass.ts";
import type { Rows } from "../models/rows.ts";
import { dispose, read, tensor, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "./deviceBatch.ts";
import { yielding, type Parts } from "./parts.ts";
import { entryStatistics, headInputs, type EntryStatistics } from "./scoring.ts";

/** What a backward pass works on; `keeps` trades memory for a second forward pass of every layer. */
export interface BackwardPass extends Omit<PassSetup, "rows" | "keeps"> {
  readonly keeps: Exclude<Keeps, "nothing">;
  readonly sink: GradientSink;
}

/** Turns statistics into dL/d(log-prob) of every scored token. */
export type TokenObjective = (entries: EntryStatistics) => Float64Array;

/** Runs one micro-batch and adds its gradients to the sink. */
export async function addGradients(
  pass: BackwardPass,
  batch: DeviceBatch,
  objective: TokenObjective,
): Promise<void> {
  const walk = openWalk(pass, batch.rows);
  const held: Tensor[] = [];
  try {
    const head = await yielding(forward(pass, walk, batch));
    held.push(head.statistics);
    const entries = entryStatistics(await read(head.statistics));
    const upstream = tensor(logpUpstream(objective(entries), head.statistics), head.statistics.shape);
    held.push(upstream);
    await yielding(backward(pass, walk, { ...head, upstream }));
  } finally {
    dispose(held);
    walk.dispose();
  }
}

/** A pass that keeps what its way back needs, down to the lowest layer that trains. */
export function openWalk({ model, weights, keeps, sink }: BackwardPass, rows: Rows): DecoderPass {
  return openPass({ model, weights, rows, keeps, keepsFrom: Math.max(0, lowestTrained(model, sink)) });
}

/** The lowest layer that trains; -1 when the embedding below it does. */
function lowestTrained({ config }: Model, sink: GradientSink): number {
  if (ownedBy(sink, isEmbedding).length > 0) return -1;
  const trains = (layer: number) =>
    ownedBy(sink, (name) => name.startsWith(`model.layers.${layer}.`)).length > 0;
  return Array.from({ length: config.layers }, (_, layer) => layer).findIndex(trains);
}

/** The head of a pass: what it reads, and the statistics it gives. */
export interface PassHead {
  readonly inputs: HeadInputs;
  /** [entries, statisticsWidth] */
  readonly statistics: Tensor;
}

/** From tokens to statistics; yields between layers. */
export function* forward(
  { model, weights }: BackwardPass,
  walk: DecoderPass,
  batch: DeviceBatch,
): Parts<PassHead> {
  walk.embed();
  for (let layer = 0; layer < model.config.layers; layer++) {
    walk.forward(layer);
    yield;
  }
  const inputs = headInputs(model, weights, { hidden: walk.scored(batch.scored), labels: batch.labels });
  return { inputs, statistics: tidy(() => lmHeadLogProbs(inputs)) };
}

/** From the gradient of the statistics to those of all trained parameters; yields between layers. */
export function* backward(
  { model, sink }: BackwardPass,
  walk: DecoderPass,
  { inputs, statistics, upstream }: PassHead & { readonly upstream: Tensor },
): Parts<void> {
  // A tied head is the embedding: its gradient has a share from either end.
  for (const { offset } of ownedBy(sink, (name) => name === headName(model.config))) {
    accumulateAndFree(sink, offset, lmHeadWeightGradient(inputs, statistics, upstream));
  }
  const dHidden = tidy(() => lmHeadHiddenGradient(inputs, statistics, upstream));
  walk.backwardScored(dHidden, sink);
  dispose(dHidden);
  const lowest = lowestTrained(model, sink);
  const layers = Array.from({ length: model.config.layers }, (_, layer) => layer);
  // Below the lowest trained layer nobody reads a gradient.
  for (const layer of layers.slice(Math.max(0, lowest)).toReversed()) {
    walk.backward(layer, sink, { isLowest: layer === lowest });
    yield;
  }
  if (lowest < 0) walk.backwardEmbed(sink);
}

function accumulateAndFree(sink: GradientSink, offset: number, gradient: Tensor): void {
  accumulateAt(sink.flat, gradient, offset);
  dispose(gradient);
}

/** Upstream of the head's statistics when only log-probs carry gradient: [entries, statisticsWidth]. */
export function logpUpstream(perToken: Float64Array, { size }: Tensor): Float32Array {
  const values = new Float32Array(size);
  perToken.forEach((gradient, entry) => {
    values[entry * statisticsWidth] = gradient;
  });
  return values;
}
