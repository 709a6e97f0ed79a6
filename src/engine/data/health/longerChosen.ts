import { wilsonInterval } from "../wilsonInterval.ts";
import type { CheckedRow, Checker } from "./checkedRow.ts";

/** Rows of which both answers have tokens. */
function measuredOf(rows: readonly CheckedRow[]): readonly CheckedRow[] {
  return rows.filter(({ tokens }) => tokens !== null && tokens.rejected > 0);
}

/** Tokens of the chosen answer less those of the rejected one. */
function difference({ tokens }: CheckedRow): number {
  return tokens === null ? 0 : tokens.chosen - tokens.rejected;
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
