/** From answers that are labelled one by one to pairs: by prompt where that goes, or of two prompts. */
import { createRandom, permutation } from "./random.ts";
import { isSameText, type LabelledRow, type PairRow, type Text } from "./row.ts";

/** Rows that were paired, and those that have no partner. */
export interface PairedRows {
  readonly pairs: readonly PairRow[];
  readonly unpaired: readonly LabelledRow[];
}

function keyOf(prompt: Text): string {
  return JSON.stringify(prompt);
}

/**
 * Pairs the good answers to a prompt with the bad ones to it, in order, each used once; a pair stands where its first
 * answer stood. Answers that are the same are no pair.
 */
export function pairByPrompt(rows: readonly LabelledRow[]): PairedRows {
  const waiting = new Map<string, LabelledRow[]>();
  const pairs: { readonly at: number; readonly pair: PairRow }[] = [];
  const places = new Map(rows.map((row, index) => [row, index]));
  for (const row of rows) {
    const key = keyOf(row.prompt);
    const others = waiting.get(key) ?? [];
    const partner = others.find(
      (other) => other.isGood !== row.isGood && !isSameText(other.completion, row.completion),
    );
    if (partner === undefined) {
      waiting.set(key, [...others, row]);
      continue;
    }
    waiting.set(
      key,
      others.filter((other) => other !== partner),
    );
    const [good, bad] = row.isGood ? [row, partner] : [partner, row];
    const pair = {
      prompt: row.prompt,
      chosen: good.completion,
      rejected: bad.completion,
      source: partner.source,
    };
    pairs.push({ at: places.get(partner) ?? 0, pair });
  }
  const left = new Set([...waiting.values()].flat());
  return {
    pairs: pairs.toSorted((a, b) => a.at - b.at).map(({ pair }) => pair),
    unpaired: rows.filter((row) => left.has(row)),
  };
}

/**
 * Puts every answer without a partner beside one of the other label and another prompt, in an order of the seed. Where
 * one label is rarer its answers come more than once, so that both weigh the same; where it is absent there are no pairs.
 */
export function pairAcrossPrompts(rows: readonly LabelledRow[], seed: number): readonly PairRow[] {
  const shuffled = (isGood: boolean, stream: number) => {
    const side = rows.filter((row) => row.isGood === isGood);
    return [...permutation(side.length, createRandom(seed, stream))].flatMap((index) => side[index] ?? []);
  };
  const [good, bad] = [shuffled(true, 0), shuffled(false, 1)];
  if (good.length === 0 || bad.length === 0) return [];
  return Array.from({ length: Math.max(good.length, bad.length) }, (_, index) => [
    good[index % good.length],
    bad[index % bad.length],
  ]).flatMap(([chosen, rejected]) => {
    if (chosen === undefined || rejected === undefined) return [];
    const { prompt, completion, source } = chosen;
    const pair = { prompt, chosen: completion, rejected: rejected.completion, source };
    if (keyOf(prompt) !== keyOf(rejected.prompt)) return { ...pair, rejectedPrompt: rejected.prompt };
    // Rows left over by prompt may share one where their answers are the same.
    return isSameText(pair.chosen, pair.rejected) ? [] : pair;
  });
}
