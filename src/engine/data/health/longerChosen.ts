import type { CheckedRow, Checker } from "./checkedRow.ts";

/** Standard normal quantile of 97.5 %. */
const Z = 1.959964;

/** Rows of which both answers have tokens. */
function measuredOf(rows: readonly CheckedRow[]): readonly CheckedRow[] {
  return rows.filter(({ tokens }) => tokens !== null && tokens.rejected > 0);
}

/** Tokens of the chosen answer less those of the rejected one. */
function difference({ tokens }: CheckedRow): number {
  return tokens === null ? 0 : tokens.chosen - tokens.rejected;
}

/** Wilson's score interval of 95 % for a share of `count`. */
export function wilsonInterval(share: number, count: number): readonly [number, number] {
  const spread = Z ** 2 / count;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((share * (1 - share)) / count + spread / (4 * count))) / (1 + spread);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** Share of tokenised pairs whose chosen answer has more tokens, ties counted half; 0.5 without pairs. */
export function longerShare(rows: readonly CheckedRow[]): number {
  const measured = measuredOf(rows);
  if (measured.length === 0) return 0.5;
  const longer = measured.reduce((sum, row) => sum + (Math.sign(difference(row)) + 1) / 2, 0);
  return longer / measured.length;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Whether length tells chosen from rejected: a finding where the interval of the share leaves out one half. */
export const longerChosen: Checker = function* (rows) {
  yield;
  const measured = measuredOf(rows);
  const count = measured.length;
  if (count === 0) return null;
  const share = longerShare(measured);
  const [low, high] = wilsonInterval(share, count);
  if (low <= 0.5 && high >= 0.5) return null;
  const isLonger = share > 0.5;
  const found = measured.filter((row) => (isLonger ? difference(row) > 0 : difference(row) < 0));
  const sentence = `The chosen answer is the ${isLonger ? "longer" : "shorter"} one in ${percent(isLonger ? share : 1 - share)} of ${count} pairs (95 % interval of the share of longer ones: ${percent(low)} to ${percent(high)}): the model can learn length instead of what is meant. A method that divides by length, such as SimPO, is less misled.`;
  return { rows: found.map(({ place }) => place), sentence, isFixable: false };
};
