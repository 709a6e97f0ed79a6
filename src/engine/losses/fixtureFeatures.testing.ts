/** Drift of sparse features by its definition in float64 loops, over the fixtures' hidden states; for tests. */
import type { Fixture, FixtureSide } from "./fixtureFile.testing.ts";

/** Drift of one side: D of every answer, and the gradient of D with respect to the hidden states. */
export interface SideDrift {
  readonly errors: Float64Array;
  /** dD/d(policy hidden states) [pairs, time, hidden], each pair's own D. */
  readonly hiddenGradient: Float64Array;
}

/** Drift of both sides. */
export interface FeatureDrift {
  readonly chosen: SideDrift;
  readonly rejected: SideDrift;
}

/** The way of the paper, or of the authors' code: the policy's features alone, averaged over the padded length. */
export type FeatureMode = "paper" | "released";

/** Activations of a JumpReLU encoder for one hidden state. */
function encode(state: readonly number[], { sae, shape }: Fixture): number[] {
  return sae.bEnc.map((bias, feature) => {
    const before = state.reduce(
      (sum, value, k) => sum + value * sae.wEnc[k * shape.features + feature]!,
      bias,
    );
    return before > sae.threshold[feature]! ? Math.max(before, 0) : 0;
  });
}

/** Places of the k largest values; none that is 0, and the lower place first among equals. */
function strongest(values: readonly number[], k: number): number[] {
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  return order.slice(0, k).filter((feature) => values[feature]! > 0);
}

/** Activations at every scored row of an answer, and their sum over `divisor`. */
function pooled(rows: readonly number[], hidden: readonly number[], fixture: Fixture, divisor: number) {
  const width = fixture.shape.hidden;
  const codes = rows.map((row) => encode(hidden.slice(row * width, (row + 1) * width), fixture));
  const means = fixture.sae.bEnc.map((_, feature) =>
    codes.reduce((sum, code) => sum + code[feature]! / divisor, 0),
  );
  return { codes, means };
}

function sideDrift(side: FixtureSide, fixture: Fixture, mode: FeatureMode): SideDrift {
  const { pairs, time, hidden, features, topK } = fixture.shape;
  const errors = new Float64Array(pairs);
  const hiddenGradient = new Float64Array(pairs * time * hidden);
  for (let pair = 0; pair < pairs; pair++) {
    const rows = Array.from({ length: time - 1 }, (_, t) => pair * time + t).filter(
      (row) => side.labels[row + 1]! >= 0,
    );
    const divisor = mode === "paper" ? rows.length : time - 1;
    const policy = pooled(rows, side.policyHidden, fixture, divisor);
    const reference = pooled(rows, side.referenceHidden, fixture, divisor);
    const members = new Set([
      ...strongest(policy.means, topK),
      ...(mode === "paper" ? strongest(reference.means, topK) : []),
    ]);
    for (const feature of members) {
      const drift = policy.means[feature]! - reference.means[feature]!;
      errors[pair] = errors[pair]! + drift ** 2 / topK;
      rows.forEach((row, index) => {
        if (policy.codes[index]![feature] === 0) return;
        for (let k = 0; k < hidden; k++) {
          const slope = ((2 * drift) / (topK * divisor)) * fixture.sae.wEnc[k * features + feature]!;
          hiddenGradient[row * hidden + k] = hiddenGradient[row * hidden + k]! + slope;
        }
      });
    }
  }
  return { errors, hiddenGradient };
}

/** Drift of both sides of a file. */
export function featureDrift(fixture: Fixture, mode: FeatureMode): FeatureDrift {
  return {
    chosen: sideDrift(fixture.chosen, fixture, mode),
    rejected: sideDrift(fixture.rejected, fixture, mode),
  };
}

/** Gradient of the hidden states [pairs, time, hidden] from that of each answer's D. */
export function hiddenGradients(
  { hiddenGradient }: SideDrift,
  { pairs }: Fixture["shape"],
  scalars: Float64Array | undefined,
): Float64Array {
  const perPair = hiddenGradient.length / pairs;
  return hiddenGradient.map((slope, place) => slope * (scalars?.[Math.floor(place / perPair)] ?? 0));
}
