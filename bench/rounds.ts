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

/** Milliseconds of every round by side. */
type Times = Record<"own" | "tfjs" | "jax", number[]>;

/** Runs every side once per round; medians, and the median of each round's own ratio. */
export async function alternate(
  sides: Contestants,
  { rounds }: { readonly rounds: number },
): Promise<Pick<Row, "medianMs" | "ratio">> {
  const times: Times = { own: [], tfjs: [], jax: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ["own", "tfjs", "jax"] as const) {
      const work = sides[name];
      if (work === undefined) continue;
      const startMs = performance.now();
      await work();
      times[name].push(performance.now() - startMs);
    }
  }
  const ratioTo = (name: "tfjs" | "jax"): number | null =>
    median(times[name].map((ms, round) => ms / (times.own[round] ?? NaN)));
  const medianMs: Sides<number> = {
    own: median(times.own),
    tfjs: median(times.tfjs),
    jax: median(times.jax),
  };
  return { medianMs, ratio: { tfjs: ratioTo("tfjs"), jax: ratioTo("jax") } };
}

/** The middle value, or the mean of the two in the middle; null of nothing. */
function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return (lower + upper) / 2;
}
