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
import { headName, type Model } from "../models/decoder.ts";
import { ownedBy, type DecoderPass } from "../models/pass.ts";
import { referenceWeights } from "../models/weights.ts";
import { dispose, read, tensor, tidy, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { GradientLists } from "../sae/featureErrors.ts";
import type { DeviceBatch } from "./deviceBatch.ts";
import {
  poolOf,
  readPooled,
  type DevicePool,
  type PooledFeatures,
  type PooledTensors,
} from "./featureTap.ts";
import { layersBackward, layersForward, openWalk, type WalkSetup } from "./layerWalk.ts";
import { measuresNothing, type Measures } from "./measures.ts";
import { yielding, type Parts } from "./parts.ts";
import {
  entryStatistics,
  headInputs,
  pooledTensors,
  tappedStates,
  tensorsOfStates,
  type EntryStatistics,
  type TappedStates,
} from "./scoring.ts";

/** What a backward pass works on. */
export interface BackwardPass extends WalkSetup {
  /** Log-probs alone when left out. */
  readonly measures?: Measures;
}

/** What one model's pass measured, on the host. */
export interface MeasuredModel {
  readonly entries: EntryStatistics;
  /** Null without a tap. */
  readonly pooled: PooledFeatures | null;
}

/** What a pass measured. */
export interface Measured extends MeasuredModel {
  /** The same under the reference; null unless it ran within the pass. */
  readonly reference: MeasuredModel | null;
}

/** The gradient of the loss for every scored token. */
export interface TokenGradients {
  /** dL/d(log-prob) */
  readonly logps: Float64Array;
  /** dL/d(KL); zeros when left out */
  readonly divergences?: Float64Array;
  /** dL/d(activation) of the features that drift counts, by autoencoder; none when left out */
  readonly features?: readonly GradientLists[];
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
  const inputs = inputsFor(pass, batch);
  const held: Tensor[] = [...tensorsOfInputs(inputs)];
  try {
    writeStates(inputs, host);
    const head = await yielding(forward(pass, walk, batch, inputs));
    held.push(...tensorsOf(head));
    const gradients = host.gradients(await readHead(head, batch.flat.labels.length));
    inputs.pool?.writeLists(gradients.features);
    const upstream = tensor(headUpstream(gradients, head.statistics), head.statistics.shape);
    held.push(upstream);
    await yielding(backward(pass, walk, { ...head, upstream }, inputs));
  } finally {
    dispose(held);
    walk.dispose();
  }
}

/** What a pass reads beside its batch. */
export interface PassInputs {
  /** Remembered hidden states of the scored tokens [entries, hidden]; null where none are read. */
  readonly states: Tensor | null;
  /** Null without a tap. */
  readonly pool: DevicePool | null;
}

/** Room for what a pass reads; the owner disposes `tensorsOfInputs`. */
export function inputsFor(
  { model, measures = measuresNothing }: BackwardPass,
  batch: DeviceBatch,
): PassInputs {
  const { hasTokenKl, isReferenceLive, tap } = measures;
  return {
    states: hasTokenKl && !isReferenceLive ? zeros([batch.labels.size, model.config.hiddenSize]) : null,
    pool: tap === null ? null : poolOf(tap, batch, { hasWayBack: true }),
  };
}

/** What the owner of inputs disposes. */
export function tensorsOfInputs({ states, pool }: PassInputs): Tensor[] {
  return [...(states === null ? [] : [states]), ...(pool?.tensors ?? [])];
}

/** Puts the remembered hidden states of a batch there; the rest of the tensor is padding that nothing scores. */
export function writeStates({ states }: PassInputs, { referenceHidden }: HostPart): void {
  if (states === null) return;
  if (referenceHidden === undefined) throw new Error("The reference's hidden states were not handed in.");
  const values = new Float32Array(states.size);
  values.set(referenceHidden);
  write(states, values);
}

/** What one model's pass measured, on the device. */
interface HeadTensors {
  /** [entries, statisticsWidth] */
  readonly statistics: Tensor;
  /** What each autoencoder pooled; none without a tap. */
  readonly pooled: readonly PooledTensors[];
}

/** The head of a pass: what it reads, and the statistics it gives. */
export interface PassHead extends HeadTensors {
  readonly inputs: HeadInputs;
  /** Residual streams [rows, hidden] that were pooled, by their layer. */
  readonly streams: ReadonlyMap<number, Tensor>;
  /** The same under a reference that ran within the pass, and its hidden states. */
  readonly reference: (HeadTensors & TappedStates) | null;
}

/** What the owner of a head disposes; the pass owns its hidden states. */
export function tensorsOf({ statistics, pooled, streams, reference }: PassHead): Tensor[] {
  const own = [statistics, ...pooledTensors(pooled), ...streams.values()];
  return reference === null ? own : [...own, ...tensorsOfReference(reference)];
}

function tensorsOfReference({ statistics, ...states }: NonNullable<PassHead["reference"]>): Tensor[] {
  return [statistics, ...tensorsOfStates(states)];
}

/** From tokens to statistics; yields between layers. What was made is freed when something fails. */
export function* forward(
  pass: BackwardPass,
  walk: DecoderPass,
  batch: DeviceBatch,
  inputs: PassInputs,
): Parts<PassHead> {
  const { model, weights, measures = measuresNothing } = pass;
  const held: Tensor[] = [];
  try {
    const reference = measures.isReferenceLive ? yield* liveReference(model, batch, inputs.pool) : null;
    if (reference !== null) held.push(...tensorsOfReference(reference));
    const { streams, pooled } = yield* layersAndPool(walk, model, inputs.pool, held);
    const scored = { hidden: walk.scored(batch.scored), labels: batch.labels };
    const compared = measures.hasTokenKl ? (reference?.hidden ?? inputs.states) : null;
    const head = {
      ...headInputs(model, weights, scored),
      ...(compared === null ? {} : { reference: compared }),
    };
    return { inputs: head, statistics: tidy(() => lmHeadLogProbs(head)), pooled, streams, reference };
  } catch (cause) {
    dispose(held);
    throw cause;
  }
}

/** All layers of the policy, and what is pooled on the way; its tensors are put into `held` at once. */
function* layersAndPool(
  walk: DecoderPass,
  model: Model,
  pool: DevicePool | null,
  held: Tensor[],
): Parts<Pick<PassHead, "streams" | "pooled">> {
  const streams = new Map<number, Tensor>();
  const pooled: PooledTensors[] = [];
  yield* layersForward(walk, model, (layer) => {
    const here = pool?.layers.get(layer);
    if (here === undefined) return;
    const stream = walk.residual();
    held.push(stream);
    streams.set(layer, stream);
    const made = here.pool(stream);
    held.push(...pooledTensors([made]));
    pooled.push(made);
  });
  return { streams, pooled };
}

/** The pass with the adapters off. */
function* liveReference(
  model: Model,
  batch: DeviceBatch,
  pool: DevicePool | null,
): Parts<NonNullable<PassHead["reference"]>> {
  const weights = referenceWeights(model);
  const states = yield* tappedStates(model, weights, batch, pool);
  try {
    const head = headInputs(model, weights, { hidden: states.hidden, labels: batch.labels });
    return { ...states, statistics: tidy(() => lmHeadLogProbs(head)) };
  } catch (cause) {
    dispose(tensorsOfStates(states));
    throw cause;
  }
}

/** Reads what a head measured of a batch with so many scored tokens. */
export async function readHead(head: PassHead, entries: number): Promise<Measured> {
  const readModel = async ({ statistics, pooled }: HeadTensors): Promise<MeasuredModel> => ({
    entries: entryStatistics(await read(statistics), entries),
    pooled: await readPooled(pooled),
  });
  return {
    ...(await readModel(head)),
    reference: head.reference === null ? null : await readModel(head.reference),
  };
}

/** From the gradient of the statistics to those of all trained parameters; yields between layers. */
export function* backward(
  { model, sink }: BackwardPass,
  walk: DecoderPass,
  { inputs, statistics, streams, upstream }: PassHead & { readonly upstream: Tensor },
  { pool }: PassInputs,
): Parts<void> {
  // A tied head is the embedding: its gradient has a share from either end.
  for (const { offset } of ownedBy(sink, (name) => name === headName(model.config))) {
    const gradient = lmHeadWeightGradient(inputs, statistics, upstream);
    accumulateAt(sink.flat, gradient, offset);
    dispose(gradient);
  }
  const dHidden = tidy(() => lmHeadHiddenGradient(inputs, statistics, upstream));
  yield* layersBackward({ model, sink }, walk, dHidden, (layer) => {
    const [here, stream] = [pool?.layers.get(layer), streams.get(layer)];
    if (here === undefined || stream === undefined) return;
    walk.changeGradient((dh) => {
      here.addGradient(dh, stream);
    });
  });
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
