/** The numbers of a pair, or of all pairs, that a method's formula is about, and the formula with them put in. */
import type { PairScores } from "../../../../engine/training/evaluate.ts";
import type { ProbePoints } from "../../../../worker/protocol.ts";
import { formatValue } from "../../../format.ts";

/** What the formula says of one pair, or the means over all; a number that the method does not give is null. */
export interface FormulaNumbers {
  /** Index of the pair; null for means. */
  readonly pairIndex: number | null;
  /** Pairs that the means are over. */
  readonly pairs: number;
  readonly chosenDelta: number | null;
  readonly rejectedDelta: number | null;
  /** The argument u of the sigmoid. */
  readonly argument: number | null;
  readonly loss: number | null;
  /** How strongly the pair pulls: σ(−u). */
  readonly weight: number | null;
  readonly chosenReward: number | null;
  readonly rejectedReward: number | null;
  readonly chosenTokens: number | null;
  readonly rejectedTokens: number | null;
}

/** The numbers of the pair with this index, or the means when it is null or unknown. */
export function numbersOf(points: ProbePoints, scores: PairScores, pairIndex: number | null): FormulaNumbers {
  const place = pairIndex === null ? -1 : points.pairIndex.indexOf(pairIndex);
  const read = (values: Float32Array) => (place >= 0 ? finiteOrNull(values[place]) : meanOf(values));
  const weights = scores.arguments.map((u) => 1 / (1 + Math.exp(u)));
  return {
    pairIndex: place >= 0 ? pairIndex : null,
    pairs: points.pairIndex.length,
    chosenDelta: read(points.chosenDelta),
    rejectedDelta: read(points.rejectedDelta),
    argument: read(scores.arguments),
    loss: read(scores.losses),
    weight: read(weights),
    chosenReward: read(scores.chosenRewards),
    rejectedReward: read(scores.rejectedRewards),
    chosenTokens: read(scores.chosenTokens),
    rejectedTokens: read(scores.rejectedTokens),
  };
}

function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function meanOf(values: Float32Array): number | null {
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? null : finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

/** A knob as a formula names it. */
interface NamedValue {
  readonly label: string;
  readonly value: number;
}

/** Only a Greek letter stands for its knob wherever it is; a word may mean anything. */
const isGreek = (label: string) => /^\p{Script=Greek}$/u.test(label);
/** What makes a number beside it a factor: digits, letters, an opening or a closing bracket. */
const factorBefore = /[\p{L}\p{N})\]]$/u;
const factorAfter = /^[\p{L}\p{N}([]/u;

/**
 * The formula with a pair's differences and lengths and the method's Greek knobs put in, or null when it has none of the
 * pair's numbers. Definitions after the formula are left out.
 */
export function substituted(
  formula: string,
  numbers: FormulaNumbers,
  knobs: readonly NamedValue[],
): string | null {
  const symbols: (readonly [string, number | null])[] = [
    ["Δ(y⁺)", numbers.chosenDelta],
    ["Δ(y⁻)", numbers.rejectedDelta],
    ["|y⁺|", numbers.chosenTokens],
    ["|y⁻|", numbers.rejectedTokens],
  ];
  const [own = formula] = formula.split(/[,;] (?=[^,;]* = )/u);
  const ofPair = symbols.flatMap(([symbol, value]) => (value === null ? [] : [{ symbol, value }]));
  if (!ofPair.some(({ symbol }) => own.includes(symbol))) return null;
  const greek = knobs.filter(({ label }) => isGreek(label));
  const all = [...ofPair, ...greek.map(({ label, value }) => ({ symbol: label, value }))];
  let text = "";
  for (let at = 0; at < own.length;) {
    const rest = own.slice(at);
    const found = all.find(({ symbol }) => rest.startsWith(symbol));
    // A letter with an index, such as β₂ or λ_D, is another symbol.
    const isOther = found !== undefined && /^[₀-₉_²³]/u.test(rest.slice(found.symbol.length));
    if (found === undefined || isOther) {
      const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      text += letter;
      at += letter.length;
      continue;
    }
    const after = rest.slice(found.symbol.length);
    const isNextNumber = all.some(({ symbol }) => after.startsWith(symbol));
    const number = formatValue(found.value);
    const shown = found.value < 0 ? `(${number})` : number;
    const before = factorBefore.test(text) ? "·" : "";
    text += `${before}${shown}${!isNextNumber && factorAfter.test(after) ? "·" : ""}`;
    at += found.symbol.length;
  }
  return text;
}
