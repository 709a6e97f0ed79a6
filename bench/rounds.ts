/** Times several sides in turn, so that whatever disturbs the machine disturbs all of them alike. */
import type { Row, Sides } from "./row.ts";

/** One side's piece of work; it resolves when the device has finished. */
export type Work = () => Promise<unknown>;

/** Which sides take part. */
export interface Contestants {
  readonly own: Work;
  readonly tfjs?: Work;
  readonly jax?: Work;
}

/** Milliseconds of every round by side; sides without work have none. Every side takes its turn once per round. */
export async function timesInTurn<Name extends string>(
  sides: Readonly<Record<Name, Work | undefined>>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const work = sides[name];
      if (work === undefined) continue;
      const startMs = performance.now();
      await work();
      times[name].push(performance.now() - startMs);
    }
  }
  return times;
}

/** Median of each round's own ratio of two sides; null where one of them took no time. */
export function medianRatio(over: readonly number[], under: readonly number[]): number | null {
  return median(over.map((ms, round) => ms / (under[round] ?? NaN)));
}

/** Runs every side once per round; medians, and the median of each round's own ratio. */
export async function alternate(
  { own, tfjs, jax }: Contestants,
  { rounds }: { readonly rounds: number },
): Promise<Pick<Row, "medianMs" | "ratio">> {
  const times = await timesInTurn({ own, tfjs, jax }, rounds);
  const medianMs: Sides<number> = {
    own: median(times.own),
    tfjs: median(times.tfjs),
    jax: median(times.jax),
  };
  return {
    medianMs,
    ratio: { tfjs: medianRatio(times.tfjs, times.own), jax: medianRatio(times.jax, times.own) },
  };
}

/** The middle value, or the mean of the two in the middle; null of nothing. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return (lower + upper) / 2;
}
