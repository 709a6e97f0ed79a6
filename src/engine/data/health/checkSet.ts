import { healthChecks, type HealthCheck } from "../steps/dataStep.ts";
import type { CheckedRow, Found, HealthLimits } from "./checkedRow.ts";
import { checkers } from "./index.ts";
import { longerShare } from "./longerChosen.ts";

/** What one check found, with all of its rows. */
export interface SetFinding extends Found {
  readonly check: HealthCheck;
}

/** Token lengths of both sides, counted in equal ranges: `edges` has one entry more than the counts. */
export interface LengthCounts {
  readonly edges: Float32Array;
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** Health of a set. */
export interface SetHealth {
  readonly findings: readonly SetFinding[];
  readonly lengths: LengthCounts;
  /** Share of pairs whose chosen answer is the longer one; ties count half. */
  readonly longerChosenShare: number;
}

/** Ranges of a histogram of lengths, at most. */
const MOST_RANGES = 24;

/** Checks a set for everything; linear in its size, and yields every few rows. */
export function* checkSet(
  rows: readonly CheckedRow[],
  limits: HealthLimits,
): Generator<void, SetHealth, void> {
  const findings: SetFinding[] = [];
  const order = Object.keys(checkers).filter((name) => isCheck(name));
  for (const check of order) {
    const found = yield* checkers[check](rows, limits);
    if (found !== null) findings.push({ check, ...found });
  }
  return { findings, lengths: countLengths(rows), longerChosenShare: longerShare(rows) };
}

function isCheck(name: string): name is HealthCheck {
  return (healthChecks as readonly string[]).includes(name);
}

/** Histogram of the answers' lengths in ranges of a whole number of tokens, from 0 on. */
export function countLengths(rows: readonly CheckedRow[]): LengthCounts {
  const lengths = rows.flatMap(({ tokens }) => tokens ?? []);
  const longest = lengths.reduce((most, { chosen, rejected }) => Math.max(most, chosen, rejected), 0);
  const width = Math.max(1, Math.ceil((longest + 1) / MOST_RANGES));
  const ranges = Math.floor(longest / width) + 1;
  const count = (lengthOf: (tokens: { chosen: number; rejected: number }) => number) => {
    const counts = new Float32Array(ranges);
    for (const length of lengths.map(lengthOf)) {
      // An answer without tokens is none: the row has one answer only.
      if (length > 0) counts[Math.floor(length / width)]! += 1;
    }
    return counts;
  };
  return {
    edges: Float32Array.from({ length: ranges + 1 }, (_, range) => range * width),
    chosen: count(({ chosen }) => chosen),
    rejected: count(({ rejected }) => rejected),
  };
}
