/** Whether the judges that train the model have parted from the one that is kept aside. */
import type { OnlineEvaluation } from "../../../worker/protocol.ts";

/** How the judges have parted between two evaluations. */
export interface Parting {
  /** Rounds at the best held-out score so far, and at the newest evaluation. */
  readonly from: number;
  readonly to: number;
  readonly proxyRise: number;
  readonly heldoutFall: number;
  /** Distance from the newest held-out mean to the upper end of its interval of 95 %. */
  readonly interval: number;
}

/**
 * The judges part when, since the evaluation with the highest held-out score, the proxy has risen while the held-out
 * judge has fallen by more than its interval. Null when they have not, or nobody is kept aside.
 */
export function judgesPart(evaluations: readonly OnlineEvaluation[]): Parting | null {
  const newest = evaluations.at(-1);
  if (!newest?.heldout || !newest.proxy) return null;
  let best = newest;
  for (const evaluation of evaluations) {
    if (evaluation.heldout && evaluation.proxy && evaluation.heldout.mean > best.heldout!.mean) {
      best = evaluation;
    }
  }
  const proxyRise = newest.proxy.mean - best.proxy!.mean;
  const heldoutFall = best.heldout!.mean - newest.heldout.mean;
  // A single prompt tells no interval, and nothing that has fallen beyond one.
  const interval = (newest.heldout.high ?? Infinity) - newest.heldout.mean;
  if (!(proxyRise > 0) || !(heldoutFall > interval)) return null;
  return { from: best.rounds, to: newest.rounds, proxyRise, heldoutFall, interval };
}
