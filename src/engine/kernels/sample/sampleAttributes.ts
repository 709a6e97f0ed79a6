/** How the next token is chosen from logits. */
export interface SampleAttributes {
  /** 0 takes the likeliest token, of equally likely ones the lowest id. */
  readonly temperature: number;
  /** Only that many of the likeliest tokens may be drawn; 0 for all. */
  readonly topK: number;
  /** Only the likeliest tokens that together have this probability may be drawn, from what `topK` leaves; 1 for all. */
  readonly topP: number;
  /** Divides positive logits of tokens that were seen and multiplies negative ones; 1 changes nothing. */
  readonly repetitionPenalty: number;
  /** Logits are bounded to softCap · tanh(logit / softCap); 0 for no bound. */
  readonly softCap: number;
  readonly seed: number;
  /** Counts the draws of a stream. */
  readonly step: number;
}

/** Tokens that one word of a list of seen tokens stands for. */
export const BITS = 32;

/** Steps of a bounded logit between 0 and its bound. */
export const CAP_STEPS = 2 ** 24;

/** Whether logits are bounded before they are compared; a bound alone changes no order. */
export function isBounded({ softCap, temperature, repetitionPenalty }: SampleAttributes): boolean {
  return softCap !== 0 && (temperature !== 0 || repetitionPenalty !== 1);
}

const TWO_TO_32 = 2 ** 32;

/** At colder temperatures the likeliest token has all of the probability anyway. */
const LARGEST_SHARPNESS = 1e9;

/** The numbers that both backends compute with, rounded as a shader gets them. */
export function numbersOf({ temperature, topP, repetitionPenalty, softCap }: SampleAttributes) {
  return {
    /** Halvings of the probability per unit of a logit. */
    sharpness: Math.fround(Math.min(Math.LOG2E / temperature, LARGEST_SHARPNESS)),
    /** `topP` in units of 2^-32. */
    share: Math.max(1, Math.min(Math.round(topP * TWO_TO_32), TWO_TO_32 - 1)),
    penalty: Math.fround(repetitionPenalty),
    /** A shader's division may be off in its last bits, a product is not. */
    inversePenalty: Math.fround(1 / repetitionPenalty),
    /** tanh takes halvings of exp(-2 x). */
    capSharpness: softCap === 0 ? 0 : Math.fround((2 * Math.LOG2E) / softCap),
    capStep: Math.fround(softCap / CAP_STEPS),
  };
}

/** A bit for every token that a row has seen: bit id % 32 of word ⌊id / 32⌋, [rows, ⌈vocabulary / 32⌉]. */
export function seenBits(rows: readonly (readonly number[])[], vocabulary: number): Int32Array {
  const words = Math.ceil(vocabulary / BITS);
  const bits = new Int32Array(rows.length * words);
  rows.forEach((ids, row) => {
    for (const id of ids) bits[row * words + Math.floor(id / BITS)]! |= 1 << (id % BITS);
  });
  return bits;
}
