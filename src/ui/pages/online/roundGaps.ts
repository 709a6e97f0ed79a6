/** The score gaps of a round's pairs, and what they weigh. */
import type { RunConfig } from "../../../engine/training/config.ts";
import type { PromptOutcome, RoundRecord } from "../../../worker/protocol.ts";

/** Bars of the histogram. */
const bars = 16;

/** Score of the chosen answer less that of the rejected one, for every pair that the round trains on. */
export function gapsOf({ prompts }: RoundRecord): number[] {
  return prompts.flatMap(({ now }) => (now === null ? [] : [now.chosenScore - now.rejectedScore]));
}

/** How many gaps lie in each of equal ranges; bin i goes from `edges[i]` to `edges[i + 1]`, the last with its end. */
export interface GapBins {
  readonly edges: Float32Array;
  readonly counts: Float32Array;
}

/** Sorts gaps into bins from 0 (or the least gap, where it is below) to the largest. */
export function gapBins(gaps: readonly number[]): GapBins {
  const least = gaps.reduce((lowest, gap) => Math.min(lowest, gap), 0);
  const span = gaps.reduce((highest, gap) => Math.max(highest, gap), 0) - least;
  // Where all gaps are 0 there is one value, which stands in the first bin.
  const width = (span > 0 ? span : 1) / bars;
  const edges = Float32Array.from({ length: bars + 1 }, (_, index) => least + index * width);
  const counts = new Float32Array(bars);
  for (const gap of gaps) {
    const bin = Math.min(bars - 1, Math.floor((gap - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, counts };
}

/** How a setup weighs pairs by their score gaps. */
export interface GapWeighting {
  readonly beta2: number;
  /** The weight w of a gap, before any normalisation. */
  readonly weigh: (gap: number) => number;
  readonly formula: string;
}

/** The kinds of `engine/losses/wdpo.ts`, by their place there; the others weigh every pair alike. */
const kinds: readonly ({ weigh: (scaled: number) => number; formula: string } | null)[] = [
  { weigh: (scaled) => 1 / (1 + Math.exp(-scaled)), formula: "w = σ(β₂ · gap)" },
  { weigh: (scaled) => Math.max(0, scaled), formula: "w = max(0, β₂ · gap)" },
];

/** How the setup's weighted DPO weighs gaps; null where it weighs every pair alike. */
export function weightingOf({
  method,
  secondMethod,
  params,
}: Pick<RunConfig, "method" | "secondMethod" | "params">): GapWeighting | null {
  const prefix = method === "wdpo" ? "" : secondMethod === "wdpo" ? "second." : null;
  if (prefix === null) return null;
  const beta2 = params[`${prefix}beta2`];
  const kind = kinds[params[`${prefix}weighting`] ?? 0] ?? null;
  if (beta2 === undefined || kind === null) return null;
  return { beta2, weigh: (gap) => kind.weigh(beta2 * gap), formula: kind.formula };
}

/** Mean weight, and the effective sample size (Σw)² / Σw²; null without pairs. */
export function weightFigures(weights: readonly number[]): { mean: number; effective: number } | null {
  if (weights.length === 0) return null;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight * weight, 0);
  return { mean: sum / weights.length, effective: squares > 0 ? sum ** 2 / squares : 0 };
}

/** Why a prompt gave no new pair, in words. */
export const reasonTexts: Record<PromptOutcome["reason"], string> = {
  "": "",
  equalScores: "equal scores",
  equalTexts: "equal texts",
  judgeFailed: "a judge failed",
  emptyAnswers: "empty answers",
};

/** How many prompts gave no new pair, by the reason, most first. */
export function droppedByReason({ prompts }: RoundRecord): { reason: string; prompts: number }[] {
  const counts = new Map<string, number>();
  for (const { reason } of prompts) {
    if (reason !== "") counts.set(reasonTexts[reason], (counts.get(reasonTexts[reason]) ?? 0) + 1);
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, prompts: count }))
    .sort((a, b) => b.prompts - a.prompts);
}
