/** Ten thousand tokens that decoding draws, against what the logits say, on the open backend. */
import { expect } from "vitest";
import { generate } from "../generation/generate.ts";
import { referenceWeights } from "../models/weights.ts";
import { createTinyModel } from "./tinyModel.ts";
import { uncachedLogits } from "./uncachedDecoding.ts";

const DRAWS = 10_000;
const PROMPT = [5];
/** Pearson's statistic follows its distribution where this many draws are expected of every token (Cochran 1954). */
const LEAST_EXPECTED = 5;
/**
 * What chi-square exceeds once in a thousand fair experiments, by degrees of freedom from 1 on: NIST/SEMATECH e-Handbook
 * of Statistical Methods, section 1.3.6.7.4, upper tail 0.001.
 */
const criticalValues = [10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877];

/** How a token is drawn. */
interface Filters {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
}

/** Settings, how many of the ten tokens they leave, and settings near by that give another distribution. */
export const drawnDistributions: readonly {
  readonly name: string;
  readonly filters: Filters;
  readonly survivors: number;
  readonly wrong: readonly Filters[];
}[] = [
  {
    name: "temperature",
    filters: { temperature: 1.5 },
    survivors: 10,
    wrong: [{ temperature: 1.65 }, { temperature: 1.35 }, { temperature: 1.5, topK: 9 }],
  },
  {
    name: "top-k",
    filters: { temperature: 2, topK: 5 },
    survivors: 5,
    wrong: [
      { temperature: 2.2, topK: 5 },
      { temperature: 2, topK: 6 },
      { temperature: 2, topK: 4 },
    ],
  },
  {
    name: "top-p",
    filters: { temperature: 2, topP: 0.9 },
    survivors: 6,
    wrong: [
      { temperature: 1.8, topP: 0.9 },
      { temperature: 2, topP: 0.95 },
      { temperature: 2, topP: 0.8 },
    ],
  },
  {
    // The share is of what top-k leaves: the other way round, four tokens would survive.
    name: "top-p of top-k",
    filters: { temperature: 2, topK: 4, topP: 0.8 },
    survivors: 3,
    wrong: [
      { temperature: 2, topK: 4 },
      { temperature: 2, topP: 0.8 },
      { temperature: 2.2, topK: 4, topP: 0.8 },
    ],
  },
];

/** Probabilities in float64, by the definitions: softmax of logits over temperature, the k largest, the fewest that reach p. */
function probabilities(logits: readonly number[], { temperature, topK = logits.length, topP = 1 }: Filters) {
  const weights = logits.map((logit) => Math.exp(logit / temperature));
  const ranked = [...weights.keys()].toSorted((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0)).slice(0, topK);
  const massOf = (ids: readonly number[]) => ids.reduce((sum, id) => sum + (weights[id] ?? 0), 0);
  const enough = ranked.findIndex((_, rank) => massOf(ranked.slice(0, rank + 1)) >= topP * massOf(ranked));
  const kept = topP === 1 ? ranked : ranked.slice(0, enough + 1);
  return weights.map((weight, id) => (kept.includes(id) ? weight / massOf(kept) : 0));
}

/** Whether counts fit shares at p = 0.001; a token that was drawn and cannot be never fits. */
function fits(counts: readonly number[], shares: readonly number[]): boolean {
  const possible = [...shares.keys()].filter((id) => shares[id] !== 0);
  if (possible.reduce((sum, id) => sum + (counts[id] ?? 0), 0) < DRAWS) return false;
  const statistic = possible.reduce((sum, id) => {
    const expected = DRAWS * (shares[id] ?? NaN);
    expect(expected).toBeGreaterThanOrEqual(LEAST_EXPECTED);
    return sum + ((counts[id] ?? 0) - expected) ** 2 / expected;
  }, 0);
  return statistic < (criticalValues[possible.length - 2] ?? NaN);
}

/** Equal prompts, each with a stream of its own, draw what the logits of a whole pass say, and nothing near by. */
export async function checkDistribution({
  filters,
  survivors,
  wrong,
}: (typeof drawnDistributions)[number]): Promise<void> {
  const { model, dispose } = createTinyModel({ vocabularySize: 10, layers: 1 });
  const weights = referenceWeights(model);
  const logits = Array.from(await uncachedLogits(model, weights, PROMPT));
  const prompts = Array.from({ length: DRAWS }, () => Int32Array.from(PROMPT));
  const options = { ...filters, maxNewTokens: 1, seed: 20, stopTokenIds: [] };
  const drawn = (await generate(model, weights, prompts, options)).map(([token]) => token);
  const counts = logits.map((_, id) => drawn.filter((token) => token === id).length);
  const shares = probabilities(logits, filters);
  expect(shares.filter((share) => share > 0)).toHaveLength(survivors);
  expect(fits(counts, shares), `${counts.join(", ")} of ${shares.join(", ")}`).toBe(true);
  for (const other of wrong) expect(fits(counts, probabilities(logits, other))).toBe(false);
  dispose();
}
