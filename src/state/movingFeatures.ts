/** How the mean activation of each feature moves from evaluation to evaluation of a run. */
import type { EvaluatedFeatures, MeasuredSae } from "../worker/protocol.ts";

/** The mean activations at one evaluation. */
interface Moment {
  readonly step: number;
  /** Mean over chosen and rejected answers. */
  readonly means: Float32Array;
  readonly sides: EvaluatedFeatures;
}

/** Features are numbered one after another over the autoencoders. */
export interface MovingFeature {
  readonly feature: number;
  /** Mean activation at the last evaluation less that at the first. */
  readonly change: number;
  /** Mean activation at each evaluation. */
  readonly values: readonly number[];
  readonly isHeld: boolean;
}

/** Bars that the Train screen has room for. */
const shownFeatures = 8;

/** Mean activations of a run, evaluation by evaluation. */
export class FeatureHistory {
  private moments: Moment[] = [];
  /** The autoencoders whose features were measured. */
  saes: readonly MeasuredSae[] = [];

  /** Takes in an evaluation; one of other autoencoders starts over. */
  add(step: number, sides: EvaluatedFeatures): void {
    const { saes, chosen, rejected } = sides;
    if (JSON.stringify(saes) !== JSON.stringify(this.saes)) this.moments = [];
    this.saes = saes;
    const means = chosen.map((value, index) => (value + (rejected[index] ?? 0)) / 2);
    this.moments.push({ step, means, sides });
  }

  /** Forgets what was measured after a step. */
  rewindTo(step: number): void {
    this.moments = this.moments.filter((moment) => moment.step <= step);
  }

  /** Forgets everything. */
  clear(): void {
    this.moments = [];
    this.saes = [];
  }

  /** How many evaluations there were. */
  get length(): number {
    return this.moments.length;
  }

  /** What the first and the last evaluation measured; null before the first. */
  get ends(): { readonly before: EvaluatedFeatures; readonly after: EvaluatedFeatures } | null {
    const [first, last] = [this.moments[0], this.moments.at(-1)];
    return first === undefined || last === undefined ? null : { before: first.sides, after: last.sides };
  }

  /** Which autoencoder a feature of the run is one of, and its number there. */
  placeOf(feature: number): { readonly sae: string; readonly feature: number } | null {
    let first = 0;
    for (const { id, width } of this.saes) {
      if (feature < first + width) return { sae: id, feature: feature - first };
      first += width;
    }
    return null;
  }

  /** Change of a feature from the first evaluation to the last; 0 before the second. */
  changeOf(feature: number): number {
    const first = this.moments[0]?.means[feature] ?? 0;
    return (this.moments.at(-1)?.means[feature] ?? 0) - first;
  }

  /** The features that moved most, in that order, and after them those that are held still. */
  moving(held: readonly number[], count = shownFeatures): MovingFeature[] {
    const width = this.moments[0]?.means.length ?? 0;
    if (this.moments.length === 0) return [];
    const kept = held.filter((feature) => feature < width).slice(0, count);
    const moved: { readonly feature: number; readonly size: number }[] = [];
    for (let feature = 0; feature < width; feature += 1) {
      const size = Math.abs(this.changeOf(feature));
      if (size > 0 && !kept.includes(feature)) moved.push({ feature, size });
    }
    moved.sort((left, right) => right.size - left.size || left.feature - right.feature);
    const shown = moved.slice(0, Math.max(count - kept.length, 0)).map(({ feature }) => feature);
    return [...shown, ...kept].map((feature) => ({
      feature,
      change: this.changeOf(feature),
      values: this.moments.map(({ means }) => means[feature] ?? 0),
      isHeld: held.includes(feature),
    }));
  }
}

/** The mean activations of the present run. */
export const featureHistory = new FeatureHistory();

/** From this many times the first reconstruction error on, the autoencoder may no longer fit. */
const misfitFactor = 3;

/** How many times the share that the autoencoder leaves unexplained has grown, once that is a reason to worry; null otherwise. */
export function misfit(
  evaluations: readonly { readonly metrics: Readonly<Record<string, number>> }[],
): number | null {
  const name = "eval_features/unexplained";
  const first = evaluations[0]?.metrics[name];
  const last = evaluations.at(-1)?.metrics[name];
  if (first === undefined || last === undefined || !(first > 0)) return null;
  return last / first >= misfitFactor ? last / first : null;
}
