/** Forward passes that score tokens: the batch on the device, and log-prob, entropy and KL of every scored token. */
import type { FlatBatch } from "../data/batch.ts";
import {
  lmHeadLogProbs,
  statisticColumn,
  statisticsWidth,
  type HeadInputs,
} from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { headName, type Model } from "../models/decoder.ts";
import { openPass } from "../models/openPass.ts";
import { matrix, referenceWeights, type Weights } from "../models/weights.ts";
import { dispose, read, trimMemory } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "./deviceBatch.ts";
import { readPooled, type DevicePool, type PooledFeatures, type PooledTensors } from "./featureTap.ts";
import { yielding, type Parts } from "./parts.ts";
import type { Unexplained } from "./unexplained.ts";

/** Numbers of each scored token, on the host; arrays have one entry per scored token. */
export interface EntryStatistics {
  readonly logps: Float64Array;
  /** Next-token entropy in nats. */
  readonly entropies: Float64Array;
  /** KL(reference ‖ policy) in nats; zeros when no reference was given. */
  readonly divergences: Float64Array;
  /** Mean logit over the vocabulary. */
  readonly meanLogits: Float64Array;
  /** log of the sum of the squared probabilities of the vocabulary. */
  readonly logSumSquares: Float64Array;
  /** KL(policy ‖ reference) in nats; zeros when no reference was given. */
  readonly reverseDivergences: Float64Array;
  /** 1 where no token is likelier than the one that follows. */
  readonly isTop: Float64Array;
}

/** What a forward pass without a way back gives. */
export interface TappedStates {
  /** Final hidden states of the scored rows [entries, hidden]. */
  readonly hidden: Tensor;
  /** What each autoencoder pooled; none without a tap. */
  readonly pooled: readonly PooledTensors[];
  /** Residual streams [rows, hidden] that were pooled, by their layer, where a pool keeps them. */
  readonly streams: ReadonlyMap<number, Tensor>;
}

/** What the owner of states disposes. */
export function tensorsOfStates({ hidden, pooled, streams }: TappedStates): Tensor[] {
  return [hidden, ...pooledTensors(pooled), ...streams.values()];
}

/** The tensors of what was pooled. */
export function pooledTensors(made: readonly PooledTensors[]): Tensor[] {
  return made.flatMap(({ pooled, activity }) => [pooled, activity]);
}

/** Runs all layers, and pools features on the way; the caller disposes what it gives. Yields between layers. */
export function* tappedStates(
  model: Model,
  weights: Weights,
  batch: DeviceBatch,
  pool: DevicePool | null,
): Parts<TappedStates> {
  const walk = openPass({ model, weights, rows: batch.rows, keeps: "nothing" });
  const pooled: PooledTensors[] = [];
  const streams = new Map<number, Tensor>();
  try {
    walk.embed();
    for (let layer = 0; layer < model.config.layers; layer++) {
      walk.forward(layer);
      const here = pool?.layers.get(layer);
      if (here !== undefined) {
        const stream = walk.residual();
        pooled.push(here.pool(stream));
        if (pool?.keepsStreams === true) streams.set(layer, stream);
        else stream.dispose();
      }
      yield;
    }
    return { hidden: walk.scored(batch.scored).clone(), pooled, streams };
  } catch (cause) {
    dispose([...pooledTensors(pooled), ...streams.values()]);
    throw cause;
  } finally {
    walk.dispose();
  }
}

/** Final hidden states of the scored rows, [entries, hidden]; the caller disposes them. Yields between layers. */
export function* scoredStates(model: Model, weights: Weights, batch: DeviceBatch): Parts<Tensor> {
  return (yield* tappedStates(model, weights, batch, null)).hidden;
}

/** The reference's hidden states of the scored rows, for KL later on, and what it pools; the caller disposes the states. */
export async function referenceStates(
  model: Model,
  batch: DeviceBatch,
  pool: DevicePool | null,
): Promise<{ readonly hidden: Tensor; readonly pooled: PooledFeatures | null }> {
  const { hidden, pooled, streams } = await yielding(
    tappedStates(model, referenceWeights(model), batch, pool),
  );
  try {
    return { hidden, pooled: await readPooled(pooled) };
  } catch (cause) {
    hidden.dispose();
    throw cause;
  } finally {
    dispose([...pooledTensors(pooled), ...streams.values()]);
  }
}

/** One forward pass; with `reference` hidden states the KL is measured as well. */
export async function scoreBatch(
  model: Model,
  weights: Weights,
  batch: DeviceBatch,
  reference?: Tensor,
): Promise<EntryStatistics> {
  return (await scoreAndPool(model, weights, batch, { reference, pool: null })).entries;
}

/** The same, with what is pooled at a tap; adds the streams of a pool that keeps them to `unexplained`. */
export async function scoreAndPool(
  model: Model,
  weights: Weights,
  batch: DeviceBatch,
  {
    reference,
    pool,
    unexplained = null,
  }: {
    readonly reference?: Tensor | undefined;
    readonly pool: DevicePool | null;
    readonly unexplained?: Unexplained | null;
  },
): Promise<{ readonly entries: EntryStatistics; readonly pooled: PooledFeatures | null }> {
  const states = await yielding(tappedStates(model, weights, batch, pool));
  const { hidden, pooled } = states;
  const held = tensorsOfStates(states);
  try {
    const head = headInputs(model, weights, { hidden, labels: batch.labels });
    const statistics = lmHeadLogProbs({ ...head, ...(reference === undefined ? {} : { reference }) });
    held.push(statistics);
    await unexplained?.add(states.streams, batch);
    return {
      entries: entryStatistics(await read(statistics)),
      pooled: await readPooled(pooled),
    };
  } finally {
    dispose(held);
    // Batches differ in length: the buffers of each would wait for one of its own size.
    trimMemory();
  }
}

/** What the head needs to score hidden states [entries, hidden]. */
export function headInputs(
  { config }: Model,
  weights: Weights,
  scored: { readonly hidden: Tensor; readonly labels: Tensor },
): HeadInputs {
  return { ...scored, weight: matrix(weights, headName(config)), softCap: config.logitSoftCap ?? 0 };
}

/** Splits the head's first `entries` rows into one array per quantity; those after them are padding. */
export function entryStatistics(
  values: ArrayLike<number>,
  entries = values.length / statisticsWidth,
): EntryStatistics {
  const column = (name: keyof typeof statisticColumn) => {
    const offset = statisticColumn[name];
    return Float64Array.from(
      { length: entries },
      (_, entry) => values[entry * statisticsWidth + offset] ?? NaN,
    );
  };
  return {
    logps: column("logp"),
    entropies: column("entropy"),
    divergences: column("kl"),
    meanLogits: column("meanLogit"),
    logSumSquares: column("logSumSquares"),
    reverseDivergences: column("reverseDivergence"),
    isTop: column("isTop"),
  };
}

/** Sums a per-token quantity by sequence: [entries] → [sequences]. */
export function sumBySequence(flat: FlatBatch, perToken: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(flat.sequences);
  flat.entrySequence.forEach((sequence, entry) => {
    sums[sequence] = (sums[sequence] ?? 0) + (perToken[entry] ?? NaN);
  });
  return sums;
}
