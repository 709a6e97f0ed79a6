import type { EncodedPairs, FeatureCorpus } from "./encodePairs.ts";
import { eachPosition } from "./pairRows.ts";
import { falseDiscoveryFindings, signFlipTest, type Differences } from "./signFlips.ts";
import { eachActive } from "./sparseRows.ts";

/** How one feature changed from the untouched model to the tuned one, over the answers of held-out pairs. */
export interface FeatureChange {
  readonly feature: number;
  readonly name: string;
  /** Mean pooled activation over chosen and rejected answers. */
  readonly before: number;
  readonly after: number;
  /** Change on either side. */
  readonly chosenChange: number;
  readonly rejectedChange: number;
  /** Probability of so large a mean change if its sign at each pair were chance; 1 where nothing changed. */
  readonly pValue: number;
  /**
   * Whether it is among the findings at a false discovery rate of 5 % (Benjamini and Hochberg). Only features that changed
   * in at least six pairs are tested: with fewer no p is below 1/16.
   */
  readonly isFinding: boolean;
}

/** What a run changed inside the model. */
export interface ChangeReport {
  /** Answers that were compared, two for each pair. */
  readonly answers: number;
  /** Random sign patterns that the rarest changes were compared with; fewer where all patterns could be tried. */
  readonly permutations: number;
  /** Features that changed in enough pairs to be tested. */
  readonly tested: number;
  /** Every feature that was active before or after, the largest change first. */
  readonly changes: readonly FeatureChange[];
  /** Features that were active neither before nor after. */
  readonly silent: number;
  readonly l0: { readonly before: number; readonly after: number };
  readonly unexplained: { readonly before: number; readonly after: number } | null;
}

const FALSE_DISCOVERY_RATE = 0.05;
/** A feature that changed in k pairs has no p below 2 / 2ᵏ, whatever its size (Tarone 1990). */
const LEAST_PAIRS = 6;
const PERMUTATIONS = 2000;

/** What a report is made from. */
export interface ChangeReportOptions {
  /** By feature. */
  readonly names: readonly string[];
  readonly seed: number;
  readonly permutations?: number;
}

/**
 * Compares a corpus of held-out pairs before and after a run. The two answers of a pair follow one prompt and are no
 * independent observations, so that their signs flip together. Throws RangeError without the tuned model's activations.
 */
export function changeReport(
  corpus: FeatureCorpus,
  { names, seed, permutations = PERMUTATIONS }: ChangeReportOptions,
): ChangeReport {
  const { pairs, before, after } = corpus;
  if (after === null)
    throw new RangeError("There is nothing to compare with: no run has tuned the model yet.");
  const found = differencesOf(corpus, after);
  const test = signFlipTest(
    found.map(({ differences }) => differences),
    { observations: pairs.length, permutations, seed },
  );
  const isTested = found.map(({ differences }) => differences.values.length >= LEAST_PAIRS);
  const findings = falseDiscoveryFindings(
    test.pValues.filter((_, index) => isTested[index]),
    FALSE_DISCOVERY_RATE,
  );
  let rank = 0;
  const changes = found.map(({ differences: _differences, ...change }, index) => ({
    ...change,
    name: names[change.feature] ?? "",
    pValue: test.pValues[index]!,
    isFinding: isTested[index] === true && findings[rank++] === true,
  }));
  const size = ({ before: old, after: now }: FeatureChange) => Math.abs(now - old);
  return {
    answers: 2 * pairs.length,
    permutations: test.permutations,
    tested: findings.length,
    changes: changes.sort((a, b) => size(b) - size(a) || a.feature - b.feature),
    silent: before.rows.width - found.length,
    l0: { before: before.l0, after: after.l0 },
    unexplained:
      before.unexplained === null || after.unexplained === null
        ? null
        : { before: before.unexplained, after: after.unexplained },
  };
}

/** Sums of one feature's pooled activations. */
interface Sums {
  before: number;
  after: number;
  chosenChange: number;
  rejectedChange: number;
  readonly observations: number[];
  readonly values: number[];
}

/** Means and differences of every feature that is active under either model, in the order of their numbers. */
function differencesOf(
  { pairs, startToken, before }: FeatureCorpus,
  after: EncodedPairs,
): (Omit<FeatureChange, "name" | "pValue" | "isFinding"> & { readonly differences: Differences })[] {
  const sums = new Map<number, Sums>();
  const sumsOf = (feature: number): Sums => {
    const known = sums.get(feature);
    if (known !== undefined) return known;
    const made = { before: 0, after: 0, chosenChange: 0, rejectedChange: 0, observations: [], values: [] };
    sums.set(feature, made);
    return made;
  };
  eachPosition(pairs, startToken, ({ pair, side, row, share }) => {
    const add = (model: "before" | "after", feature: number, value: number) => {
      const own = sumsOf(feature);
      const pooled = share * value;
      own[model] += pooled;
      const change = model === "after" ? pooled : -pooled;
      own[side === "chosen" ? "chosenChange" : "rejectedChange"] += change;
      if (own.observations.at(-1) !== pair) {
        own.observations.push(pair);
        own.values.push(0);
      }
      own.values[own.values.length - 1]! += change;
    };
    eachActive(before.rows, row, (feature, value) => add("before", feature, value));
    eachActive(after.rows, row, (feature, value) => add("after", feature, value));
  });
  const answers = 2 * pairs.length;
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([feature, own]) => ({
      feature,
      before: own.before / answers,
      after: own.after / answers,
      chosenChange: own.chosenChange / pairs.length,
      rejectedChange: own.rejectedChange / pairs.length,
      differences: withoutZeros(own),
    }));
}

function withoutZeros({ observations, values }: Differences): Differences {
  const kept = Array.from(values, (value, place) => ({ value, observation: observations[place]! })).filter(
    ({ value }) => value !== 0,
  );
  return {
    observations: kept.map(({ observation }) => observation),
    values: kept.map(({ value }) => value),
  };
}
