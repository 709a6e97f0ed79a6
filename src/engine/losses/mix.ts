/** Sums of objectives: an SFT term beside any other one, and any two with weights. */
import type { Objective, ObjectiveResult, ParameterSpec } from "./objective.ts";
import { sft } from "./sft.ts";

/** Stands before the key of a knob of the second objective. */
export const secondPrefix = "second.";

/** An objective and what its loss is multiplied by. */
interface Term {
  readonly objective: Objective;
  readonly weight: number;
  /** Knobs of the objective within those of the sum. */
  readonly prefix: string;
}

/** What is mixed, and how. */
export interface Mixture {
  readonly first: Objective;
  readonly firstWeight: number;
  readonly second: Objective | null;
  readonly secondWeight: number;
  /** Weight of the chosen answers' token-mean negative log-likelihood. Source: RPO, arXiv 2404.19733. */
  readonly sftWeight: number;
}

/**
 * The weighted sum of objectives as one: losses and gradients add up. Rewards, the sigmoid's argument and pair weights
 * are those of the first. Without a second term it is the first objective itself.
 */
export function mixObjectives({ first, firstWeight, second, secondWeight, sftWeight }: Mixture): Objective {
  const terms: Term[] = [{ objective: first, weight: firstWeight, prefix: "" }];
  if (second !== null) terms.push({ objective: second, weight: secondWeight, prefix: secondPrefix });
  if (sftWeight > 0) terms.push({ objective: sft, weight: sftWeight, prefix: "" });
  if (terms.length === 1 && firstWeight === 1) return first;
  return {
    ...first,
    parameters: terms.flatMap(({ objective, prefix }) => prefixedParameters(objective, prefix)),
    needs: [...new Set(terms.flatMap(({ objective }) => objective.needs))],
    compute: (statistics, parameters, totals) => {
      const results = terms.map(({ objective, prefix, weight }) =>
        scaled(objective.compute(statistics, ownParameters(parameters, prefix), totals), weight),
      );
      return results.reduce(added);
    },
  };
}

function prefixedParameters({ parameters }: Objective, prefix: string): ParameterSpec[] {
  return parameters.map((spec) => ({ ...spec, key: `${prefix}${spec.key}` }));
}

function ownParameters(parameters: Readonly<Record<string, number>>, prefix: string): Record<string, number> {
  const own = Object.entries(parameters).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

const summedArrays = [
  "chosenDivergenceGradient",
  "rejectedDivergenceGradient",
  "chosenFeatureGradient",
  "rejectedFeatureGradient",
] as const satisfies readonly (keyof ObjectiveResult)[];

function scaled(result: ObjectiveResult, weight: number): ObjectiveResult {
  const times = (values: Float64Array) => values.map((value) => weight * value);
  const optional = summedArrays.flatMap((name) => {
    const values = result[name];
    return values === undefined ? [] : [[name, times(values)] as const];
  });
  return {
    ...result,
    losses: times(result.losses),
    chosenGradient: times(result.chosenGradient),
    rejectedGradient: times(result.rejectedGradient),
    ...Object.fromEntries(optional),
  };
}

/** The sum of two results; what is not summed is the first one's. */
function added(first: ObjectiveResult, second: ObjectiveResult): ObjectiveResult {
  const plus = (a: Float64Array, b: Float64Array) => a.map((value, pair) => value + b[pair]!);
  const optional = summedArrays.flatMap((name) => {
    const [a, b] = [first[name], second[name]];
    const sum = a === undefined || b === undefined ? (a ?? b) : plus(a, b);
    return sum === undefined ? [] : [[name, sum] as const];
  });
  const rewards = first.chosenRewards.length > 0 ? first : second;
  return {
    ...first,
    losses: plus(first.losses, second.losses),
    chosenGradient: plus(first.chosenGradient, second.chosenGradient),
    rejectedGradient: plus(first.rejectedGradient, second.rejectedGradient),
    chosenRewards: rewards.chosenRewards,
    rejectedRewards: rewards.rejectedRewards,
    ...Object.fromEntries(optional),
    metrics: { ...second.metrics, ...first.metrics },
  };
}
