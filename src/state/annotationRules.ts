/** Blind choices between two answers: which side an answer stands on, what was chosen, and the pairs that come of it. */
import type { SampledAnswers } from "../worker/protocol.ts";

/** What somebody decided: the left answer, the right one, neither is better, or neither is good. */
export type Verdict = "a" | "b" | "tie" | "bad";

/** A side of the screen. */
export type Side = "a" | "b";

/** Two answers to a prompt in the order of the screen. */
export interface BlindItem {
  readonly prompt: string;
  readonly a: string;
  readonly b: string;
}

/** A round of choices; plain data, so that it outlives a reload. */
export interface Round {
  readonly items: readonly BlindItem[];
  /** Verdicts by item; null where none was given yet. */
  readonly verdicts: readonly (Verdict | null)[];
  /** Items in the order in which they were decided, for undo. */
  readonly order: readonly number[];
  /** Prompts left out because both answers were the same. */
  readonly same: number;
}

/** A pair that a choice made, with the columns of TRL's layout. */
export interface MadePair {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  /** What judges gave both answers; absent where a person chose. */
  readonly score_chosen?: number;
  readonly score_rejected?: number;
}

/** A round from sampled answers: sides are shuffled by the seed, and equal answers leave nothing to choose. */
export function roundOf(sampled: readonly SampledAnswers[], seed: number): Round {
  const items: BlindItem[] = [];
  for (const [place, { prompt, answers }] of sampled.entries()) {
    const [first = "", second = ""] = answers;
    if (first.trim() === second.trim()) continue;
    const isSwapped = coin(seed, place);
    items.push({ prompt, a: isSwapped ? second : first, b: isSwapped ? first : second });
  }
  return { items, verdicts: items.map(() => null), order: [], same: sampled.length - items.length };
}

/** A fair coin by seed and place: the top bit of a mixed 32-bit number (the finisher of MurmurHash3). */
export function coin(seed: number, place: number): boolean {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(place + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) & 1) === 1;
}

/** The item to decide next; null when all are decided. */
export function nextItem({ verdicts }: Round): number | null {
  const place = verdicts.indexOf(null);
  return place < 0 ? null : place;
}

/** The round with a verdict on the next item. */
export function decide(round: Round, verdict: Verdict): Round {
  const place = nextItem(round);
  if (place === null) return round;
  return {
    ...round,
    verdicts: round.verdicts.with(place, verdict),
    order: [...round.order, place],
  };
}

/** The round without its last verdict. */
export function undo(round: Round): Round {
  const place = round.order.at(-1);
  if (place === undefined) return round;
  return { ...round, verdicts: round.verdicts.with(place, null), order: round.order.slice(0, -1) };
}

/** The round with a person's own text on one side of the next item. */
export function rewrite(round: Round, side: Side, text: string): Round {
  const place = nextItem(round);
  const item = place === null ? undefined : round.items[place];
  if (place === null || item === undefined) return round;
  return { ...round, items: round.items.with(place, { ...item, [side]: text }) };
}

/** The pairs that the choices make; ties and two bad answers make none. */
export function pairsOf({ items, verdicts }: Round): MadePair[] {
  return items.flatMap(({ prompt, a, b }, place) => {
    const verdict = verdicts[place];
    if (verdict === "a") return [{ prompt, chosen: a, rejected: b }];
    return verdict === "b" ? [{ prompt, chosen: b, rejected: a }] : [];
  });
}

/** Pairs as JSON lines in TRL's layout. */
export function jsonLines(pairs: readonly MadePair[]): string {
  return pairs.map((pair) => `${JSON.stringify(pair)}\n`).join("");
}

/** Whether something that was kept is a round. */
export function isRound(value: unknown): value is Round {
  const { items, verdicts, order, same } = (value ?? {}) as Partial<Round>;
  return (
    Array.isArray(items) &&
    items.every(isItem) &&
    Array.isArray(verdicts) &&
    verdicts.length === items.length &&
    verdicts.every((verdict) => verdict === null || ["a", "b", "tie", "bad"].includes(verdict)) &&
    Array.isArray(order) &&
    order.every((place) => Number.isInteger(place) && place >= 0 && place < items.length) &&
    typeof same === "number"
  );
}

function isItem(value: unknown): boolean {
  const { prompt, a, b } = (value ?? {}) as Partial<BlindItem>;
  return [prompt, a, b].every((text) => typeof text === "string");
}
