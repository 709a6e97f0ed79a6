/** The common part of objectives that compare two samples rank by rank instead of pair by pair. */
import { ObjectiveInputError } from "./objective.ts";
import { sigmoid, softplus } from "./softplus.ts";

/** Numbers of the ranks in the order of the pairs: a rank's are those of the pair that holds it in the first sample. */
interface RankedLoss {
  /** softplus(-u) of each rank. */
  readonly losses: Float64Array;
  readonly arguments: Float64Array;
  /** Derivative with respect to each value of the first sample; it is never positive. */
  readonly raisedSlopes: Float64Array;
  /** The same for the second sample; it is never negative. */
  readonly loweredSlopes: Float64Array;
}

/** Places of the values from the lowest to the highest; equal values keep their order. */
function rankOrder(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
}

/**
 * Logistic loss on β × (rank j of `raised` − rank j of `lowered`). Throws `ObjectiveInputError` for a single pair, whose
 * only rank would compare nothing. Source: arXiv 2406.05882.
 */
export function rankedLoss(beta: number, raised: Float64Array, lowered: Float64Array): RankedLoss {
  if (raised.length < 2) {
    throw new ObjectiveInputError(
      "AOT compares ranks within a micro-batch, so it needs at least 2 pairs in each: raise the pairs per micro-batch",
    );
  }
  const [raisedOrder, loweredOrder] = [rankOrder(raised), rankOrder(lowered)];
  const sigmoidArguments = new Float64Array(raised.length);
  const raisedSlopes = new Float64Array(raised.length);
  const loweredSlopes = new Float64Array(lowered.length);
  raisedOrder.forEach((pair, rank) => {
    const below = loweredOrder[rank]!;
    const u = beta * (raised[pair]! - lowered[below]!);
    sigmoidArguments[pair] = u;
    raisedSlopes[pair] = -beta * sigmoid(-u);
    loweredSlopes[below] = beta * sigmoid(-u);
  });
  const losses = sigmoidArguments.map((u) => softplus(-u));
  return { losses, arguments: sigmoidArguments, raisedSlopes, loweredSlopes };
}
