/** The numbers of a pair, or of all pairs, that a method's formula is about, and the formula with them put in. */
import type { PairScores } from "../../../../engine/training/evaluate.ts";
import type { ObjectiveCard } from "../../../../worker/description.ts";
import type { ProbePoints } from "../../../../worker/protocol.ts";
import { formatSetting, formatValue } from "../../../format.ts";

/** What the formula says of one pair, or the means over all; a number that the method does not give is null. */
export interface FormulaNumbers {
  /** Index of the pair; null for means. */
  readonly pairIndex: number | null;
  /** Pairs that the means are over. */
  readonly pairs: number;
  readonly chosenDelta: number | null;
  readonly rejectedDelta: number | null;
  /** Summed log-probs of the answers. */
  readonly chosenLogp: number | null;
  readonly rejectedLogp: number | null;
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
    chosenLogp: read(scores.chosenLogps),
    rejectedLogp: read(scores.rejectedLogps),
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

/** A knob of a method as its formula names it. */
export interface NamedValue {
  readonly label: string;
  readonly value: number;
  /** The value as it is written: the name of a choice, or the number. */
  readonly text: string;
}

/** The knobs of a method with their values; `prefix` stands before their keys, as it does for a second method. */
export function knobValues(
  { parameters }: Pick<ObjectiveCard, "parameters">,
  params: Readonly<Record<string, number>>,
  prefix = "",
): NamedValue[] {
  return parameters.map(({ key, label, choices, default: initial }) => {
    const value = params[`${prefix}${key}`] ?? initial;
    return { label, value, text: choices?.[value] ?? formatSetting(value) };
  });
}

/** The formula of a method with its knobs as they are: one of them may make it another formula. */
export function formulaOf(
  { formula, parameters }: Pick<ObjectiveCard, "formula" | "parameters">,
  params: Readonly<Record<string, number>>,
  prefix = "",
): string {
  const spec = parameters.find(({ formulas }) => formulas !== undefined);
  if (spec?.formulas === undefined) return formula;
  const value = params[`${prefix}${spec.key}`] ?? spec.default;
  // A number between two whole ones is beyond the lower.
  return spec.formulas[Math.min(Math.ceil(value), spec.formulas.length - 1)] ?? formula;
}

/** A formula with numbers in it, and the name of what it gives. */
export interface Substituted {
  readonly text: string;
  /** "loss" for the formula itself; else the symbol of the definition that the numbers occur in. */
  readonly gives: string;
}

/** Only a Greek letter stands for its knob wherever it is; a word may mean anything. */
const isGreek = (label: string) => /^\p{Script=Greek}$/u.test(label);

/** What makes a number beside it a factor: digits, letters, an opening or a closing bracket. */
const factorBefore = /[\p{L}\p{N})\]]$/u;
const factorAfter = /^[\p{L}\p{N}([]/u;

/**
 * The formula with a pair's numbers and the method's Greek knobs put in; where only one of its definitions has them, as
 * that of u, this definition; null when there is none.
 */
export function substituted(
  formula: string,
  numbers: FormulaNumbers,
  knobs: readonly Pick<NamedValue, "label" | "value">[],
): Substituted | null {
  const ofPair = pairSymbols(numbers);
  const greek = knobs.filter(({ label }) => isGreek(label));
  const symbols = [...ofPair, ...greek.map(({ label, value }) => ({ symbol: label, value }))];
  const [own = formula, ...definitions] = formula.split(/[,;] (?=[^,;]* = )/u);
  const hasNumbers = (text: string) => ofPair.some(({ symbol }) => text.includes(symbol));
  if (hasNumbers(own)) return { text: withNumbers(own, symbols), gives: "loss" };
  const [gives, right] = definitions.find(hasNumbers)?.split(" = ") ?? [];
  return gives === undefined || right === undefined ? null : { text: withNumbers(right, symbols), gives };
}

interface SymbolValue {
  readonly symbol: string;
  readonly value: number;
}

function pairSymbols(numbers: FormulaNumbers): SymbolValue[] {
  const meanProbability = (logp: number | null, tokens: number | null) =>
    logp === null || tokens === null ? null : Math.exp(logp / tokens);
  const symbols: readonly (readonly [string, number | null])[] = [
    ["Δ(y⁺)", numbers.chosenDelta],
    ["Δ(y⁻)", numbers.rejectedDelta],
    ["|y⁺|", numbers.chosenTokens],
    ["|y⁻|", numbers.rejectedTokens],
    ["log π_θ(y⁺)", numbers.chosenLogp],
    ["log π_θ(y⁻)", numbers.rejectedLogp],
    ["P(y⁺)", meanProbability(numbers.chosenLogp, numbers.chosenTokens)],
    ["P(y⁻)", meanProbability(numbers.rejectedLogp, numbers.rejectedTokens)],
    ["r⁺", numbers.chosenReward],
    ["r⁻", numbers.rejectedReward],
  ];
  return symbols.flatMap(([symbol, value]) => (value === null ? [] : [{ symbol, value }]));
}

function withNumbers(formula: string, symbols: readonly SymbolValue[]): string {
  let text = "";
  for (let at = 0; at < formula.length;) {
    const rest = formula.slice(at);
    const found = symbols.find(({ symbol }) => rest.startsWith(symbol));
    // A letter with an index, such as β₂ or λ_D, is another symbol.
    const isOther = found !== undefined && /^[₀-₉_²³]/u.test(rest.slice(found.symbol.length));
    if (found === undefined || isOther) {
      const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      text += letter;
      at += letter.length;
      continue;
    }
    const after = rest.slice(found.symbol.length);
    const isNextNumber = symbols.some(({ symbol }) => after.startsWith(symbol));
    const number = formatValue(found.value);
    const isBracketed = text.endsWith("(") && after.startsWith(")");
    const shown = found.value < 0 && !isBracketed ? `(${number})` : number;
    const before = factorBefore.test(text) ? "·" : "";
    text += `${before}${shown}${!isNextNumber && factorAfter.test(after) ? "·" : ""}`;
    at += found.symbol.length;
  }
  return text;
}
