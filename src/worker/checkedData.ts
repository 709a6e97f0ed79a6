/** The health of loaded pairs: checked once, when it is first asked for. */
import { tokensOf, type CheckedRow } from "../engine/data/health/checkedRow.ts";
import { checkSet, type SetHealth } from "../engine/data/health/checkSet.ts";
import type { SetRow } from "../engine/data/steps/setRow.ts";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { inTurns } from "./inTurns.ts";
import type { LoadedData } from "./library.ts";
import type { DataHealth } from "./protocol.ts";

/** Loaded pairs of both splits with the rows they came from. */
export type HeldPairs = Pick<LoadedData, "train" | "heldout" | "trainRows" | "heldoutRows" | "settings">;

/** A pair beside its row. */
export interface HeldPair {
  readonly split: "train" | "heldout";
  readonly pair: TokenPair;
  readonly row: SetRow;
}

/** All usable pairs, training pairs first. */
export function heldPairs({ train, heldout, trainRows, heldoutRows }: HeldPairs): HeldPair[] {
  const withRows = (split: HeldPair["split"], pairs: readonly TokenPair[], rows: readonly SetRow[]) =>
    pairs.flatMap((pair) => {
      const row = rows[pair.row];
      return row === undefined ? [] : { split, pair, row };
    });
  return [...withRows("train", train, trainRows), ...withRows("heldout", heldout, heldoutRows)];
}

const checked = new WeakMap<HeldPairs, Promise<SetHealth>>();

/** Health of loaded pairs with all rows of every finding; the same pairs are checked once. */
export function healthOf(data: HeldPairs): Promise<SetHealth> {
  const known = checked.get(data);
  if (known !== undefined) return known;
  const rows = heldPairs(data).map(({ split, pair, row }): CheckedRow => {
    const { place, prompt, chosen, rejected, rejectedPrompt } = row;
    const texts = { prompt, chosen, rejected, ...(rejectedPrompt === undefined ? {} : { rejectedPrompt }) };
    return { place, split, ...texts, gap: pair.rewardGap ?? null, tokens: tokensOf(pair) };
  });
  const health = inTurns(checkSet(rows, { maxTokens: data.settings.maxTokens }));
  checked.set(data, health);
  return health;
}

/** Rows of a finding that cross the wall. */
const MOST_ROWS = 1000;

/** Health as the page is told it. */
export async function tellHealth(data: HeldPairs): Promise<DataHealth> {
  const { findings, ...rest } = await healthOf(data);
  return {
    ...rest,
    findings: findings.map(({ check, rows, sentence, isFixable }) => ({
      check,
      count: rows.length,
      sentence,
      rows: rows.slice(0, MOST_ROWS),
      isFixable,
    })),
  };
}
