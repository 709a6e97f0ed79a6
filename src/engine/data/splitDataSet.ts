import { pairAcrossPrompts } from "./pairLabelled.ts";
import { createRandom, permutation } from "./random.ts";
import type { DataSet } from "./readDataSet.ts";
import { isBlank, textOf, type LabelledRow, type PairRow } from "./row.ts";

/** What is trained on, and what it is measured on. */
export interface DataSplit {
  readonly train: readonly PairRow[];
  readonly heldout: readonly PairRow[];
}

/** Share of the prompts that is held out. */
const HELDOUT_SHARE = 0.2;
/** Words in a file's name that say that it is not for training. */
const HELDOUT_NAME =
  /(^|[^a-z])(test|eval|evaluation|valid|validation|val|dev|heldout|held[-_ ]out)([^a-z]|$)/i;

/** What rows of one split must not share with the other: the prompt, or the text where there is no prompt. */
function keyOf(row: PairRow | LabelledRow): string {
  if (!isBlank(row.prompt)) return textOf(row.prompt);
  return textOf("chosen" in row ? row.chosen : row.completion);
}

/** Whether a row is held out: by the name of its file where some files are for that, otherwise by its prompt. */
function heldoutOf(rows: readonly (PairRow | LabelledRow)[]): (row: PairRow | LabelledRow) => boolean {
  const files = [...new Set(rows.map(({ source }) => source.file))];
  const named = new Set(files.filter((file) => HELDOUT_NAME.test(file)));
  if (named.size > 0 && named.size < files.length) return ({ source }) => named.has(source.file);
  const keys = [...new Set(rows.map(keyOf))];
  const order = permutation(keys.length, createRandom(0));
  const count = Math.max(1, Math.round(keys.length * HELDOUT_SHARE));
  const heldout = new Set(Array.from(order.slice(0, count), (index) => keys[index]));
  return (row) => heldout.has(keyOf(row));
}

/** Why there is nothing in a set to train on, as a sentence with what to do; null where there is something. */
export function nothingToTrain({ label, rows, unpaired, prompts }: DataSet): string | null {
  if (rows.length > 0) return null;
  if (prompts.length > 0)
    return `"${label}" holds ${prompts.length} prompts and no answers: sample answers to them and choose the better ones, or open a set that has answers.`;
  const good = unpaired.filter(({ isGood }) => isGood).length;
  if (unpaired.length === 0 || (good > 0 && good < unpaired.length)) return null;
  const found = good > 0 ? "good" : "bad";
  return `All ${unpaired.length} answers of "${label}" are labelled ${found}, and there is nothing to tell them from: add answers of the other label, or read it with a layout for SFT.`;
}

/**
 * Splits a set: files whose names say so (`test`, `valid`, …) are held out where others are not; otherwise a fifth of the
 * prompts is, drawn once and for all, so that no held-out prompt is trained on. Labelled answers without a partner are
 * paired across prompts within each side.
 */
export function splitDataSet({ rows, unpaired }: Pick<DataSet, "rows" | "unpaired">): DataSplit {
  const isHeldout = heldoutOf([...rows, ...unpaired]);
  const side = (wanted: boolean) => [
    ...rows.filter((row) => isHeldout(row) === wanted),
    ...pairAcrossPrompts(
      unpaired.filter((row) => isHeldout(row) === wanted),
      Number(wanted),
    ),
  ];
  return { train: side(false), heldout: side(true) };
}
