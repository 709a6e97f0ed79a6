/** From answers that are labelled one by one to pairs, by prompt. */
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
