/** Rows as TRL's JSON lines. */
import { transcriptOf } from "./formats/hhRlhf.ts";
import { textOf, type PairRow } from "./row.ts";

/** A file of rows of one kind. */
export interface WrittenRows {
  /** What is added to a file's name where a set has rows of several kinds. */
  readonly suffix: "" | "-labelled" | "-single" | "-transcripts";
  readonly text: string;
}

/**
 * Rows as JSON lines in TRL's layouts, one file per kind of row: pairs (`prompt`, `chosen`, `rejected`), answers of
 * different prompts each by itself (`prompt`, `completion`, `label`), single answers (`prompt`, `completion`), and
 * transcripts as hh-rlhf has them (`chosen`, `rejected`). Scores, weights and objectives of pairs have columns of their own. What is written reads back as the same rows.
 */
export function writePairs(rows: readonly PairRow[]): WrittenRows[] {
  const of = (suffix: WrittenRows["suffix"]) => rows.filter((row) => suffixOf(row) === suffix);
  return [
    { suffix: "" as const, lines: of("").map(pairLine) },
    { suffix: "-labelled" as const, lines: of("-labelled").flatMap(labelledLines) },
    { suffix: "-single" as const, lines: of("-single").map(singleLine) },
    { suffix: "-transcripts" as const, lines: of("-transcripts").map(transcriptLine) },
  ]
    .filter(({ lines }) => lines.length > 0)
    .map(({ suffix, lines }) => ({
      suffix,
      text: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    }));
}

function suffixOf({ isSingle, rejectedPrompt, isTranscript, prompt }: PairRow): WrittenRows["suffix"] {
  if (isSingle === true) return "-single";
  if (rejectedPrompt !== undefined) return "-labelled";
  return isTranscript === true && typeof prompt !== "string" ? "-transcripts" : "";
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

function transcriptLine({ prompt, chosen, rejected }: PairRow): unknown {
  const before = typeof prompt === "string" ? prompt : transcriptOf(prompt);
  return { chosen: `${before} ${textOf(chosen)}`, rejected: `${before} ${textOf(rejected)}` };
}

function singleLine({ prompt, chosen }: PairRow): unknown {
  return { prompt, completion: chosen };
}
