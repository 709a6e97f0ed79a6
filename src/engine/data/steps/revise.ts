import { isBlank, isSameText, textOf, type Text } from "../row.ts";
import { editDistance } from "./editDistance.ts";
import { alsoMadeBy, type SetRow } from "./setRow.ts";
import { DataStepError, type StepContext, type StepOf } from "./stepContext.ts";

/** Tokens of an answer that are compared, so that one endless answer holds nothing up. */
const LONGEST = 2048;

/**
 * Puts a person's text in the place of a row's answers. CLAIR (arXiv 2408.06266) asks for the smallest revision that makes
 * an answer better; the sentence has the edits per token of the longer text. Stated scores of the row go, because they are
 * of the text as it was.
 */
export const revise: StepOf<"revise"> = (set, step, context) => {
  const row = [...set.train, ...set.heldout].find(({ place }) => place === step.row);
  if (row === undefined) {
    throw new DataStepError(
      `Row ${step.row} is to be revised, and it is not in the set at this point: take the revision out, or put it before the step that leaves the row out.`,
    );
  }
  if (row.isSingle === true && step.rejected !== undefined) {
    throw new DataStepError(
      `Row ${step.row} has one answer only, and a rejected one is to be revised: revise the chosen answer.`,
    );
  }
  const { scores: _scores, ...unscored } = row;
  const revised: SetRow = {
    ...unscored,
    chosen: withText(row.chosen, step.chosen),
    rejected: withText(row.rejected, step.rejected),
    madeBy: alsoMadeBy(row, "revised"),
  };
  checkAnswers(revised);
  const replace = (rows: readonly SetRow[]) => rows.map((other) => (other === row ? revised : other));
  const edits = (["chosen", "rejected"] as const).flatMap((side) =>
    step[side] === undefined ? [] : [editsOf(row[side], revised[side], { side, encode: context.encode })],
  );
  return {
    set: { ...set, train: replace(set.train), heldout: replace(set.heldout) },
    sentence: `Revised row ${step.row}: ${edits.join("; ") || "nothing changed"}.`,
  };
};

function checkAnswers({ place, chosen, rejected, isSingle }: SetRow): void {
  for (const [side, text] of Object.entries(isSingle === true ? { chosen } : { chosen, rejected })) {
    if (isBlank(text))
      throw new DataStepError(`The revised ${side} answer of row ${place} is empty: write one.`);
  }
  if (isSameText(chosen, rejected)) {
    throw new DataStepError(`After its revision both answers of row ${place} are the same: let them differ.`);
  }
}

/** The answer with another text; of several messages the last is the one that is revised. */
function withText(answer: Text, text: string | undefined): Text {
  if (text === undefined) return answer;
  if (typeof answer === "string") return text;
  return answer.map((message, index) =>
    index === answer.length - 1 ? { ...message, content: text } : message,
  );
}

function editsOf(
  before: Text,
  after: Text,
  { side, encode }: Pick<StepContext, "encode"> & { readonly side: string },
): string {
  const [old, now] = [before, after].map((text) => encode(textOf(text)).slice(0, LONGEST));
  const edits = editDistance(old ?? [], now ?? []);
  const tokens = Math.max(old?.length ?? 0, now?.length ?? 0, 1);
  return `${edits} edits in ${tokens} tokens of the ${side} answer (${(edits / tokens).toFixed(2)} per token)`;
}
