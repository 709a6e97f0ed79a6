/** Metrics of preference training under the names that TRL logs, from statistics per pair. */
import type { ObjectiveResult, PairStatistics, SideStatistics } from "../losses/objective.ts";
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

/** Pairs whose two answers are to one prompt: only those are compared with one another. */
function comparedPairs({ pairs, isOfOnePrompt }: PairStatistics): number[] {
  return Array.from({ length: pairs }, (_, pair) => pair).filter((pair) => isOfOnePrompt?.[pair] !== 0);
}

function countWhere(pairs: readonly number[], holds: (pair: number) => boolean): number {
  return pairs.filter(holds).length;
}

/** What the chosen answers of some pairs have more than the rejected ones. */
function sumOfGaps(pairs: readonly number[], chosen: Float64Array, rejected: Float64Array): number {
  return pairs.reduce((sum, pair) => sum + chosen[pair]! - rejected[pair]!, 0);
}

/** Answers of a side that are there. */
function answersOf({ tokens }: SideStatistics): number {
  return tokens.filter((count) => count > 0).length;
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

  #addLossAndRewards({ statistics, result }: MetricBatch): void {
    const { pairs } = statistics;
    this.#count("loss", sumOf(result.losses), pairs);
    const { chosenRewards, rejectedRewards } = result;
    if (chosenRewards.length !== pairs || rejectedRewards.length !== pairs) return;
    this.#count("rewards/chosen", sumOf(chosenRewards), answersOf(statistics.chosen));
    this.#count("rewards/rejected", sumOf(rejectedRewards), answersOf(statistics.rejected));
    const compared = comparedPairs(statistics);
    this.#count("rewards/margins", sumOfGaps(compared, chosenRewards, rejectedRewards), compared.length);
    const wins = countWhere(compared, (pair) => chosenRewards[pair]! > rejectedRewards[pair]!);
    this.#count("rewards/accuracies", wins, compared.length);
  }

  #addLogps(statistics: PairStatistics): void {
    const { chosen, rejected } = statistics;
    for (const side of sides) {
      const { logps, tokens } = statistics[side];
      const tokenCount = sumOf(tokens);
      const answers = answersOf(statistics[side]);
      this.#count(`logps/${side}`, sumOf(logps), answers);
      this.#count(`logps_per_token/${side}`, sumOf(logps), tokenCount);
      this.#count(`length/${side}`, tokenCount, answers);
    }
    const compared = comparedPairs(statistics);
    const summedWins = countWhere(compared, (pair) => chosen.logps[pair]! > rejected.logps[pair]!);
    const perTokenWins = countWhere(
      compared,
      (pair) => chosen.logps[pair]! / chosen.tokens[pair]! > rejected.logps[pair]! / rejected.tokens[pair]!,
    );
    this.#count("accuracies/logps", summedWins, compared.length);
    this.#count("accuracies/logps_per_token", perTokenWins, compared.length);
  }

  #addLogRatios(statistics: PairStatistics): void {
    const { chosen, rejected } = statistics;
    const chosenRatios = logRatiosOf(chosen);
    const rejectedRatios = logRatiosOf(rejected);
    if (!chosenRatios || !rejectedRatios) return;
    const compared = comparedPairs(statistics);
    this.#count("margins/logratio", sumOfGaps(compared, chosenRatios, rejectedRatios), compared.length);
    const wins = countWhere(compared, (pair) => chosenRatios[pair]! > rejectedRatios[pair]!);
    this.#count("accuracies/logratio", wins, compared.length);
    const perToken = sumOfGaps(
      compared,
      chosenRatios.map((ratio, pair) => ratio / chosen.tokens[pair]!),
      rejectedRatios.map((ratio, pair) => ratio / rejected.tokens[pair]!),
    );
    this.#count("margins/logratio_per_token", perToken, compared.length);
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
    for (const side of sides) {
      const { divergences, reverseDivergences } = batch[side] ?? {};
      const tokenCount = sumOf(batch.statistics[side].tokens);
      const answers = answersOf(batch.statistics[side]);
      if (divergences) {
        this.#count(`kl/${side}`, sumOf(divergences), answers);
        this.#count(`kl_per_token/${side}`, sumOf(divergences), tokenCount);
      }
      if (reverseDivergences) {
        this.#count(`kl_reverse/${side}`, sumOf(reverseDivergences), answers);
        this.#count(`kl_reverse_per_token/${side}`, sumOf(reverseDivergences), tokenCount);
      }
    }
    const chosenDivergences = batch.chosen?.divergences;
    const rejectedDivergences = batch.rejected?.divergences;
    if (chosenDivergences && rejectedDivergences) {
      const compared = comparedPairs(batch.statistics);
      this.#count("kl/margin", sumOfGaps(compared, chosenDivergences, rejectedDivergences), compared.length);
    }
  }

  #addFeatures({ statistics, ...batch }: MetricBatch): void {
    for (const side of sides) {
      const { activeFeatures, featureErrors, heldErrors, featureOverlaps } = batch[side] ?? {};
      const answers = answersOf(statistics[side]);
      if (activeFeatures) this.#count("features/l0", sumOf(activeFeatures), sumOf(statistics[side].tokens));
      if (featureErrors) this.#count(`features/mse_${side}`, sumOf(featureErrors), answers);
      if (heldErrors) this.#count(`features/held_mse_${side}`, sumOf(heldErrors), answers);
      if (featureOverlaps) {
        // Answers that are not there have no features, which are the same of both.
        const own = featureOverlaps.filter((_, pair) => statistics[side].tokens[pair]! > 0);
        this.#count("features/overlap", sumOf(own), answers);
      }
    }
    const [chosen, rejected] = [batch.chosen?.featureErrors, batch.rejected?.featureErrors];
    if (!chosen || !rejected) return;
    const compared = comparedPairs(statistics);
    this.#count("features/mse_margin", sumOfGaps(compared, chosen, rejected), compared.length);
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
