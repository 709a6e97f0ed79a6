/**
 * One forward and backward pass: forward keeping what the way back needs, statistics to the host, the objective in
 * float64 there, then the gradients of the layers from the last to the first. The same walk serves LoRA and full
 * fine-tuning, fused layers and layers on the tape, remembered and live references.
 */
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  lmHeadWeightGradient,
  statisticColumn,
  statisticsWidth,
  type HeadInputs,
} from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { headName, isEmbedding, type Model } from "../models/decoder.ts";
import { openPass } from "../models/openPass.ts";
import { ownedBy, type DecoderPass, type GradientSink, type Keeps, type PassSetup } from "../models/pass.ts";
import type { Rows } from "../models/rows.ts";
import { withoutAdapters } from "../models/weights.ts";
import { dispose, read, tensor, tidy, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "./deviceBatch.ts";
import type { Measures } from "./measures.ts";
import { yielding, type Parts } from "./parts.ts";
import { entryStatistics, headInputs, scoredStates, type EntryStatistics } from "./scoring.ts";

/** What a backward pass works on; `keeps` trades memory for a second forward pass of every layer. */
export interface BackwardPass extends Omit<PassSetup, "rows" | "keeps"> {
  readonly keeps: Exclude<Keeps, "nothing">;
  readonly sink: GradientSink;
  /** Log-probs alone when left out. */
  readonly measures?: Measures;
}

/** What a pass measured, on the host. */
export interface Measured {
  readonly entries: EntryStatistics;
  /** The same under the reference; null unless it ran within the pass. */
  readonly reference: EntryStatistics | null;
}

/** The gradient of the loss for every scored token. */
export interface TokenGradients {
  /** dL/d(log-prob) */
  readonly logps: Float64Array;
  /** dL/d(KL); zeros when left out */
  readonly divergences?: Float64Array;
}

/** The part of a pass that runs on the host. */
export interface HostPart {
  /** Hidden states of the scored tokens [entries · hidden] under a remembered reference, where token KL is measured. */
  readonly referenceHidden?: Float32Array | undefined;
  /** Turns what was measured into the gradient of every scored token. */
  readonly gradients: (measured: Measured) => TokenGradients;
}

/** Runs one micro-batch and adds its gradients to the sink. */
export async function addGradients(pass: BackwardPass, batch: DeviceBatch, host: HostPart): Promise<void> {
  const walk = openWalk(pass, batch.rows);
  const held: Tensor[] = [];
  try {
    const states = statesFor(pass, batch);
    if (states !== null) {
      held.push(states);
      writeStates(states, host);
    }
    const head = await yielding(forward(pass, walk, batch, states));
    held.push(...tensorsOf(head));
    const gradients = host.gradients(await readHead(head, batch.flat.labels.length));
    const upstream = tensor(headUpstream(gradients, head.statistics), head.statistics.shape);
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

/** Room for remembered hidden states of the scored tokens [entries, hidden]; null where none are read. */
export function statesFor({ model, measures }: BackwardPass, { labels }: DeviceBatch): Tensor | null {
  if (measures?.hasTokenKl !== true || measures.isReferenceLive) return null;
  return zeros([labels.size, model.config.hiddenSize]);
}

/** Puts the remembered hidden states of a batch there; the rest of the tensor is padding that nothing scores. */
export function writeStates(states: Tensor, { referenceHidden }: HostPart): void {
  if (referenceHidden === undefined) throw new Error("The reference's hidden states were not handed in.");
  const values = new Float32Array(states.size);
  values.set(referenceHidden);
  write(states, values);
}

/** The head of a pass: what it reads, and the statistics it gives. */
export interface PassHead {
  readonly inputs: HeadInputs;
  /** [entries, statisticsWidth] */
  readonly statistics: Tensor;
  /** The same under a reference that ran within the pass, and its hidden states. */
  readonly reference: { readonly hidden: Tensor; readonly statistics: Tensor } | null;
}

/** What the owner of a head disposes; the pass owns its hidden states. */
export function tensorsOf({ statistics, reference }: PassHead): Tensor[] {
  return [statistics, ...(reference === null ? [] : [reference.hidden, reference.statistics])];
}

/** From tokens to statistics; `states` are remembered hidden states of the reference. Yields between layers. */
export function* forward(
  pass: BackwardPass,
  walk: DecoderPass,
  batch: DeviceBatch,
  states: Tensor | null = null,
): Parts<PassHead> {
  const { model, weights, measures } = pass;
  const reference = measures?.isReferenceLive === true ? yield* liveReference(model, batch) : null;
  walk.embed();
  for (let layer = 0; layer < model.config.layers; layer++) {
    walk.forward(layer);
    yield;
  }
  const scored = { hidden: walk.scored(batch.scored), labels: batch.labels };
  const compared = measures?.hasTokenKl === true ? (reference?.hidden ?? states) : null;
  const inputs = {
    ...headInputs(model, weights, scored),
    ...(compared === null ? {} : { reference: compared }),
  };
  return { inputs, statistics: tidy(() => lmHeadLogProbs(inputs)), reference };
}

/** The pass with the adapters off. */
function* liveReference(model: Model, batch: DeviceBatch): Parts<PassHead["reference"]> {
  const weights = withoutAdapters(model);
  const hidden = yield* scoredStates(model, weights, batch);
  const head = headInputs(model, weights, { hidden, labels: batch.labels });
  return { hidden, statistics: tidy(() => lmHeadLogProbs(head)) };
}

/** Reads what a head measured of a batch with so many scored tokens. */
export async function readHead({ statistics, reference }: PassHead, entries: number): Promise<Measured> {
  return {
    entries: entryStatistics(await read(statistics), entries),
    reference: reference === null ? null : entryStatistics(await read(reference.statistics), entries),
  };
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

/** Upstream of the head's statistics: [entries, statisticsWidth]. */
export function headUpstream({ logps, divergences }: TokenGradients, { size }: Tensor): Float32Array {
  const values = new Float32Array(size);
  logps.forEach((gradient, entry) => {
    values[entry * statisticsWidth + statisticColumn.logp] = gradient;
  });
  divergences?.forEach((gradient, entry) => {
    values[entry * statisticsWidth + statisticColumn.kl] = gradient;
  });
  return values;
}
