/** Metric histories outside React, drawn through permanent min/max buckets so that spikes survive. */
import type { StepRecord } from "../worker/protocol.ts";

/** One point of a drawn line; a `y` that is not finite marks a gap. */
export interface SeriesPoint {
  readonly x: number;
  readonly y: number;
}

/** A metric of the run, ready to draw: at most `maxSeriesPoints` points each for steps and evaluations. */
export interface DrawnSeries {
  readonly steps: readonly number[];
  readonly values: readonly number[];
  readonly evalSteps: readonly number[];
  readonly evalValues: readonly number[];
}

/** Most points a drawn line ever has. */
export const maxSeriesPoints = 300;

/** Each bucket draws up to three points (lowest, highest, gap), and the newest value is drawn on top. */
const maxBuckets = Math.floor((maxSeriesPoints - 1) / 3);

interface Bucket {
  count: number;
  lowest: SeriesPoint | null;
  highest: SeriesPoint | null;
  gap: SeriesPoint | null;
}

const emptyBucket = (): Bucket => ({ count: 0, lowest: null, highest: null, gap: null });

/**
 * A growing line kept in buckets of equal numbers of values. When there are too many, neighbours merge in
 * pairs: a drawn point is always a measured one, past points never move, and every extreme stays.
 */
export class BucketSeries {
  private buckets: Bucket[] = [];
  private width = 1;
  private newest: SeriesPoint | null = null;

  /** Adds the next value; `x` must not go backwards. */
  append(x: number, y: number): void {
    let bucket = this.buckets.at(-1);
    if (bucket === undefined || bucket.count === this.width) {
      if (this.buckets.length === maxBuckets) this.mergeInPairs();
      bucket = this.buckets.at(-1);
      if (bucket === undefined || bucket.count === this.width) {
        bucket = emptyBucket();
        this.buckets.push(bucket);
      }
    }
    const point = { x, y };
    bucket.count += 1;
    this.newest = point;
    if (!Number.isFinite(y)) bucket.gap ??= point;
    else {
      if (bucket.lowest === null || y < bucket.lowest.y) bucket.lowest = point;
      if (bucket.highest === null || y > bucket.highest.y) bucket.highest = point;
    }
  }

  /** The points to draw, in order of `x`. */
  points(): SeriesPoint[] {
    const drawn = this.buckets.flatMap((bucket) =>
      [...new Set([bucket.lowest, bucket.highest, bucket.gap])]
        .filter((point) => point !== null)
        .sort((left, right) => left.x - right.x),
    );
    if (this.newest !== null && drawn.at(-1) !== this.newest) drawn.push(this.newest);
    return drawn;
  }

  private mergeInPairs(): void {
    const merged: Bucket[] = [];
    for (let index = 0; index < this.buckets.length; index += 2) {
      const left = this.buckets[index] ?? emptyBucket();
      const right = this.buckets[index + 1] ?? emptyBucket();
      merged.push({
        count: left.count + right.count,
        lowest: extreme(left.lowest, right.lowest, (a, b) => b < a),
        highest: extreme(left.highest, right.highest, (a, b) => b > a),
        gap: left.gap ?? right.gap,
      });
    }
    this.buckets = merged;
    this.width *= 2;
  }
}

function extreme(
  left: SeriesPoint | null,
  right: SeriesPoint | null,
  isBetter: (left: number, right: number) => boolean,
): SeriesPoint | null {
  if (left === null || right === null) return left ?? right;
  return isBetter(left.y, right.y) ? right : left;
}

/** Every metric of one run: complete records, and the buckets that are drawn. */
export class RunHistory {
  readonly steps: StepRecord[] = [];
  readonly evaluations: StepRecord[] = [];
  /** Diagnostics of sampled answers; drawn beside the evaluations. */
  readonly samples: Pick<StepRecord, "step" | "metrics">[] = [];
  private readonly stepSeries = new Map<string, BucketSeries>();
  private readonly evalSeries = new Map<string, BucketSeries>();

  /** Adds the metrics of one optimizer step. */
  addStep(record: StepRecord): void {
    this.steps.push(record);
    appendMetrics(this.stepSeries, record, "");
  }

  /** Adds a held-out evaluation; its names carry the prefix `eval_`. */
  addEvaluation(record: StepRecord): void {
    this.evaluations.push(record);
    appendMetrics(this.evalSeries, record, "eval_");
  }

  /** Adds what was measured on sampled answers. */
  addSamples(record: Pick<StepRecord, "step" | "metrics">): void {
    this.samples.push(record);
    appendMetrics(this.evalSeries, record, "");
  }

  /** Forgets everything after a step, as a run does that goes back to a checkpoint. */
  rewindTo(step: number): void {
    const steps = this.steps.filter((record) => record.step <= step);
    const evaluations = this.evaluations.filter((record) => record.step <= step);
    const samples = this.samples.filter((record) => record.step <= step);
    this.clear();
    for (const record of steps) this.addStep(record);
    for (const record of evaluations) this.addEvaluation(record);
    for (const record of samples) this.addSamples(record);
  }

  /** Forgets everything. */
  clear(): void {
    this.steps.length = 0;
    this.evaluations.length = 0;
    this.samples.length = 0;
    this.stepSeries.clear();
    this.evalSeries.clear();
  }

  /** The drawn line of a metric by TRL's name, with its held-out counterpart. */
  metricSeries(name: string): DrawnSeries {
    const steps = this.stepSeries.get(name)?.points() ?? [];
    const evaluations = this.evalSeries.get(name)?.points() ?? [];
    return {
      steps: steps.map((point) => point.x),
      values: steps.map((point) => point.y),
      evalSteps: evaluations.map((point) => point.x),
      evalValues: evaluations.map((point) => point.y),
    };
  }
}

function appendMetrics(
  series: Map<string, BucketSeries>,
  record: Pick<StepRecord, "step" | "metrics">,
  prefix: string,
): void {
  for (const [fullName, value] of Object.entries(record.metrics)) {
    const name = fullName.startsWith(prefix) ? fullName.slice(prefix.length) : fullName;
    let line = series.get(name);
    if (line === undefined) {
      line = new BucketSeries();
      series.set(name, line);
    }
    line.append(record.step, value);
  }
}
