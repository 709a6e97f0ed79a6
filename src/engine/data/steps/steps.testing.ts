/** Sets and a world for tests of steps. */
import type { PairRow } from "../row.ts";
import { asRead, type RowJudge, type RowSet } from "./setRow.ts";
import type { StepContext } from "./stepContext.ts";

/** Scores an answer by the number that it holds. */
export const numberJudge: RowJudge = {
  id: "number",
  label: "Number",
  score: (_prompt, answer) => Number(/-?\d+/.exec(answer)?.[0] ?? 0),
};

/** Rows whose answers hold `2·index` and `index`, so that gaps grow with the place. */
export function numberedRows(count: number, file = "pairs.jsonl"): PairRow[] {
  return Array.from({ length: count }, (_, index) => ({
    prompt: `question ${index}`,
    chosen: ` answer ${2 * index}`,
    rejected: ` reply ${index}`,
    source: { file, row: index + 1 },
  }));
}

/** `train` rows to train on and 5 that are held out. */
export function numberedSet(train: number, judge: RowJudge | null = numberJudge): RowSet {
  const rows = numberedRows(train + 5);
  return asRead(rows.slice(0, train), rows.slice(train), judge);
}

/** A world in which every character is a token and no other set exists. */
export function testContext(changes: Partial<StepContext> = {}): StepContext {
  return {
    encode: (text) => Array.from(text, (letter) => letter.codePointAt(0) ?? 0),
    measure: () => null,
    embed: () => Promise.reject(new Error("Nothing is embedded here.")),
    readSet: () => Promise.reject(new Error("There is no other set here.")),
    giveWay: () => Promise.resolve(),
    ...changes,
  };
}
