/** Rows as TRL's JSON lines. */
import type { PairRow } from "./row.ts";

/** A file of rows of one kind. */
export interface WrittenRows {
  /** What is added to a file's name where a set has rows of several kinds. */
  readonly suffix: "" | "-labelled" | "-single";
  readonly text: string;
}

/**
 * Rows as JSON lines in TRL's layouts, one file per kind of row: pairs (`prompt`, `chosen`, `rejected`), answers of
 * different prompts each by itself (`prompt`, `completion`, `label`), and single answers (`prompt`, `completion`). Scores,
 * weights and objectives go along in columns of their own. What is written reads back as the same rows.
 */
export function writePairs(rows: readonly PairRow[]): WrittenRows[] {
  const single = rows.filter(({ isSingle }) => isSingle === true);
  const labelled = rows.filter((row) => row.isSingle !== true && row.rejectedPrompt !== undefined);
  const pairs = rows.filter((row) => row.isSingle !== true && row.rejectedPrompt === undefined);
  return [
    { suffix: "" as const, lines: pairs.map(pairLine) },
    { suffix: "-labelled" as const, lines: labelled.flatMap(labelledLines) },
    { suffix: "-single" as const, lines: single.map(singleLine) },
  ]
    .filter(({ lines }) => lines.length > 0)
    .map(({ suffix, lines }) => ({
      suffix,
      text: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    }));
}

function pairLine({ prompt, chosen, rejected, objective, scores, weight }: PairRow): unknown {
  return {
    prompt,
    chosen,
    rejected,
    ...(scores === undefined ? {} : { score_chosen: scores.chosen, score_rejected: scores.rejected }),
    ...(weight === undefined ? {} : { weight }),
    ...(objective === undefined ? {} : { objective }),
  };
}

function labelledLines({ prompt, chosen, rejected, rejectedPrompt }: PairRow): unknown[] {
  return [
    { prompt, completion: chosen, label: true },
    { prompt: rejectedPrompt, completion: rejected, label: false },
  ];
}

function singleLine({ prompt, chosen }: PairRow): unknown {
  return { prompt, completion: chosen };
}
