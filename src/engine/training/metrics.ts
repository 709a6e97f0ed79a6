/** Metrics of preference training under the names that TRL logs, from statistics per pair. */
import type { ObjectiveResult, PairStatistics } from "../losses/objective.ts";
import { logRatiosOf } from "../losses/objective.ts";
import { sigmoid } from "../losses/softplus.ts";

/** Values by metric name; a metric that was not measured is absent, never 0. */
export type MetricRecord = Record<string, number>;

/** Numbers of each answer, per pair; sums are over its scored tokens. */
export interface AnswerNumbers {
  /** Next-token entropy in nats. */
  readonly entropies?: Float64Array;
  /** KL(reference || policy) in nats. */
  readonly divergences?: Float64Array;
  /** KL(policy || reference) in nats. */
  readonly reverseDivergences?: Float64Array;
  /** Mean logit over the vocabulary. */
  readonly meanLogits?: Float64Array;
  /** Tokens than which none was likelier. */
  readonly hits?: Float64Array;
  /** Sum of active features. */
  readonly activeFeatures?: Float64Array;
  /** Share of the top features that policy and reference have in common. */
  readonly featureOverlaps?: Float64Array;
  /** Squared drift of the features that methods are compared by, and of the held ones. */
  readonly featureErrors?: Float64Array;
  readonly heldErrors?: Float64Array;
}

/** What is known about a micro-batch after its objective was computed. */
export interface MetricBatch {
  readonly statistics: PairStatistics;
  readonly result: ObjectiveResult;
  readonly chosen?: AnswerNumbers;
  readonly rejected?: AnswerNumbers;
}

const sides = ["chosen", "rejected"] as const;

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function countWhere(pairs: number, holds: (pair: number) => boolean): number {
  let count = 0;
  for (let pair = 0; pair < pairs; pair++) if (holds(pair)) count++;
  return count;
}

/** Adds up sums and weights over micro-batches, so that means are exact means over pairs or tokens. */
export class MetricAccumulator {
  readonly #sums = new Map<string, { sum: number; weight: number }>();

  /** Adds the pairs of a micro-batch. */
  add(batch: MetricBatch): void {
    this.#addLossAndRewards(batch);
    this.#addLogps(batch.statistics);
    this.#addLogRatios(batch.statistics);
    this.#addTokenSums(batch);
    this.#addDivergences(batch);
    this.#addFeatures(batch);
    this.#addArguments(batch.result);
    this.#addWeights(batch.result);
    for (const [name, { sum, weight }] of Object.entries(batch.result.metrics ?? {})) {
      this.#count(name, sum, weight);
    }
  }

  /** The means over everything added so far. */
  record(): MetricRecord {
    const entries = [...this.#sums].filter(([, { weight }]) => weight > 0);
    return Object.fromEntries(entries.map(([name, { sum, weight }]) => [name, sum / weight]));
  }

  #count(name: string, sum: number, weight: number): void {
    const total = this.#sums.get(name) ?? { sum: 0, weight: 0 };
    this.#sums.set(name, { sum: total.sum + sum, weight: total.weight + weight });
  }

  #addLossAndRewards({ statistics: { pairs }, result }: MetricBatch): void {
    this.#count("loss", sumOf(result.losses), pairs);
    const { chosenRewards, rejectedRewards } = result;
    if (chosenRewards.length !== pairs || rejectedRewards.length !== pairs) return;
    const chosen = sumOf(chosenRewards);
    const rejected = sumOf(rejectedRewards);
    this.#count("rewards/chosen", chosen, pairs);
    this.#count("rewards/rejected", rejected, pairs);
    this.#count("rewards/margins", chosen - rejected, pairs);
    const wins = countWhere(pairs, (pair) => chosenRewards[pair]! > rejectedRewards[pair]!);
    this.#count("rewards/accuracies", wins, pairs);
  }

  #addLogps(statistics: PairStatistics): void {
    const { pairs, chosen, rejected } = statistics;
    for (const side of sides) {
      const { logps, tokens } = statistics[side];
      const tokenCount = sumOf(tokens);
      this.#count(`logps/${side}`, sumOf(logps), pairs);
      this.#count(`logps_per_token/${side}`, sumOf(logps), tokenCount);
      this.#count(`length/${side}`, tokenCount, pairs);
    }
    const summedWins = countWhere(pairs, (pair) => chosen.logps[pair]! > rejected.logps[pair]!);
    const perTokenWins = countWhere(
      pairs,
      (pair) => chosen.logps[pair]! / chosen.tokens[pair]! > rejected.logps[pair]! / rejected.tokens[pair]!,
    );
    this.#count("accuracies/logps", summedWins, pairs);
    this.#count("accuracies/logps_per_token", perTokenWins, pairs);
  }

  #addLogRatios({ pairs, chosen, rejected }: PairStatistics): void {
    const chosenRatios = logRatiosOf(chosen);
    const rejectedRatios = logRatiosOf(rejected);
    if (!chosenRatios || !rejectedRatios) return;
    this.#count("margins/logratio", sumOf(chosenRatios) - sumOf(rejectedRatios), pairs);
    const wins = countWhere(pairs, (pair) => chosenRatios[pair]! > rejectedRatios[pair]!);
    this.#count("accuracies/logratio", wins, pairs);
    const perToken =
      sumOf(chosenRatios.map((ratio, pair) => ratio / chosen.tokens[pair]!)) -
      sumOf(rejectedRatios.map((ratio, pair) => ratio / rejected.tokens[pair]!));
    this.#count("margins/logratio_per_token", perToken, pairs);
  }

  #addTokenSums(batch: MetricBatch): void {
    for (const side of sides) {
      const { entropies, meanLogits } = batch[side] ?? {};
      const tokenCount = sumOf(batch.statistics[side].tokens);
      if (entropies) {
        this.#count("entropy", sumOf(entropies), tokenCount);
        this.#count(`entropy/${side}`, sumOf(entropies), tokenCount);
      }
      if (meanLogits) this.#count(`logits/${side}`, sumOf(meanLogits), tokenCount);
    }
    const hits = batch.chosen?.hits;
    if (hits) this.#count("mean_token_accuracy", sumOf(hits), sumOf(batch.statistics.chosen.tokens));
  }

  #addDivergences(batch: MetricBatch): void {
    const { pairs } = batch.statistics;
    for (const side of sides) {
      const { divergences, reverseDivergences } = batch[side] ?? {};
      const tokenCount = sumOf(batch.statistics[side].tokens);
      if (divergences) {
        this.#count(`kl/${side}`, sumOf(divergences), pairs);
        this.#count(`kl_per_token/${side}`, sumOf(divergences), tokenCount);
      }
      if (reverseDivergences) {
        this.#count(`kl_reverse/${side}`, sumOf(reverseDivergences), pairs);
        this.#count(`kl_reverse_per_token/${side}`, sumOf(reverseDivergences), tokenCount);
      }
    }
    const chosenDivergences = batch.chosen?.divergences;
    const rejectedDivergences = batch.rejected?.divergences;
    if (chosenDivergences && rejectedDivergences) {
      this.#count("kl/margin", sumOf(chosenDivergences) - sumOf(rejectedDivergences), pairs);
    }
  }

  /** A batch has as many chosen answers as rejected ones. */
  #addFeatures({ statistics, ...batch }: MetricBatch): void {
    const { pairs } = statistics;
    for (const side of sides) {
      const { activeFeatures, featureErrors, heldErrors, featureOverlaps } = batch[side] ?? {};
      if (activeFeatures) this.#count("features/l0", sumOf(activeFeatures), sumOf(statistics[side].tokens));
      if (featureErrors) this.#count(`features/mse_${side}`, sumOf(featureErrors), pairs);
      if (heldErrors) this.#count(`features/held_mse_${side}`, sumOf(heldErrors), pairs);
      if (featureOverlaps) this.#count("features/overlap", sumOf(featureOverlaps), pairs);
    }
    const [chosen, rejected] = [batch.chosen?.featureErrors, batch.rejected?.featureErrors];
    if (chosen && rejected) this.#count("features/mse_margin", sumOf(chosen) - sumOf(rejected), pairs);
  }

  #addArguments({ arguments: sigmoidArguments }: ObjectiveResult): void {
    if (!sigmoidArguments) return;
    const count = sigmoidArguments.length;
    this.#count("objective/u_abs", sumOf(sigmoidArguments.map(Math.abs)), count);
    this.#count("objective/pair_weight", sumOf(sigmoidArguments.map((u) => sigmoid(-u))), count);
  }

  /** The effective sample size (Σw)²/Σw² is of one micro-batch; theirs are averaged by pairs. */
  #addWeights({ weights }: ObjectiveResult): void {
    if (!weights) return;
    const sum = sumOf(weights);
    const squares = sumOf(weights.map((weight) => weight * weight));
    // Where no pair counts, none is effective.
    const effective = squares > 0 ? (sum * sum) / squares : 0;
    this.#count("weights/mean", sum, weights.length);
    this.#count("weights/ess", effective * weights.length, weights.length);
  }
}

/** The record with a prefix in front of every name, such as `eval_`. */
export function prefixed(prefix: string, record: MetricRecord): MetricRecord {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}${name}`, value]));
}
