/** What the benchmark writes: one row per case, the same in the browser and in Node. */

/** What one call of one side asked of the device; null where nothing was counted. */
export interface SideCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly passes: number;
  readonly createBuffer: number;
  readonly createBindGroup: number;
  readonly createPipeline: number;
  readonly writeBuffer: number;
  readonly bytesAllocated: number;
  /** Most bytes of buffers for tensors that existed at once, weights included. */
  readonly peakBytes: number;
  /** Wall time of the call less the time in which the host only waited for the device. */
  readonly jsMilliseconds: number;
}

/** What a long series of our own steps gained after the first two. */
export interface Growth {
  readonly steps: number;
  readonly tensors: number;
  readonly storageBytes: number;
  readonly createBuffer: number;
  readonly createBindGroup: number;
  readonly createPipeline: number;
  /** The last step that created anything; 0 when none did. */
  readonly lastStepThatCreated: number;
}

/** Ours are counted further. */
export interface OwnCounts extends SideCounts {
  readonly dispatchesByName: Readonly<Record<string, number>>;
  /** Distinct pipelines that the model needed. */
  readonly pipelines: number;
  readonly largestBufferBytes: number;
  /** Whether a buffer has as many elements as tokens times vocabulary; null where a weight is larger than that. */
  readonly hasTokensTimesVocabulary: boolean | null;
  readonly growth: Growth | null;
  /** The same with other pairs of other lengths in every step; null where all are alike. */
  readonly varyingGrowth: Growth | null;
}

/** One of each side; null where a side was not measured. */
export interface Sides<T> {
  readonly own: T | null;
  readonly tfjs: T | null;
  readonly jax: T | null;
}

/** A step of one method, beside another method's in the same rounds. */
export interface MethodRow {
  readonly method: string;
  /** How its reference comes: remembered, or with a pass of its own in every step. */
  readonly referenceMode: "cached" | "live";
  readonly dispatches: number;
  /** Median over the rounds of FPO's time over this one's; null for FPO itself. */
  readonly fpoRatio: number | null;
  /** What that ratio is promised to stay below; null for FPO itself. */
  readonly goal: number | null;
  /** Measured bytes that are remembered of a mean training pair. */
  readonly referenceBytesPerPair: number;
}

/** One way to decode, beside another in the same rounds. */
export interface GenerationRow {
  readonly way: "key-value cache" | "whole passes";
  /** Of all prompts together, at the median of the rounds. */
  readonly tokensPerSecond: number;
  /** What one more token of every prompt asks of the device, on average. */
  readonly dispatchesPerToken: number;
  readonly submitsPerToken: number;
  /** Median over the rounds of the time of whole passes over this one's; null for whole passes. */
  readonly speedUp: number | null;
  /** What that ratio is promised to reach; null for whole passes. */
  readonly goal: number | null;
}

/** One case. */
export interface Row {
  readonly name: string;
  readonly shape: string;
  readonly medianMs: Sides<number>;
  /** Median over the rounds of the other's time over ours. */
  readonly ratio: { readonly tfjs: number | null; readonly jax: number | null };
  /** Ours: billions of multiplications and additions in a second, of matmuls and of what a step cannot do without. */
  readonly gigaflops: number | null;
  readonly counts: {
    readonly own: OwnCounts | SideCounts | null;
    readonly tfjs: SideCounts | null;
    readonly jax: SideCounts | null;
  };
  readonly forwardDispatchesPerLayer: number | null;
  readonly backwardDispatchesPerLayer: number | null;
  readonly optimizerDispatches: number | null;
  /** Tensors gained over the steps of `counts.own.growth`. */
  readonly tensorGrowth: number | null;
  readonly estimatedBytes: number | null;
  readonly measuredPeakBytes: number | null;
  /** Steps of several of our own methods; null in other cases. */
  readonly methods: readonly MethodRow[] | null;
  /** Ways to decode; null in other cases. */
  readonly generation: readonly GenerationRow[] | null;
  /** Why the case was not measured; null when it was. */
  readonly skipped: string | null;
}

/** A row in which nothing is known but the case. */
export function emptyRow(name: string, shape: string, skipped: string | null = null): Row {
  return {
    name,
    shape,
    medianMs: { own: null, tfjs: null, jax: null },
    ratio: { tfjs: null, jax: null },
    gigaflops: null,
    counts: { own: null, tfjs: null, jax: null },
    forwardDispatchesPerLayer: null,
    backwardDispatchesPerLayer: null,
    optimizerDispatches: null,
    tensorGrowth: null,
    estimatedBytes: null,
    measuredPeakBytes: null,
    methods: null,
    generation: null,
    skipped,
  };
}

/** Multiplications and additions per nanosecond; null where no time was taken. */
export function gigaflopsOf(flops: number, milliseconds: number | null): number | null {
  return milliseconds === null ? null : flops / (milliseconds * 1e6);
}
