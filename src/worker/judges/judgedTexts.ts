/** Texts that a person types, as the answers that judges are asked about. */
import { textOf, type PairRow } from "../../engine/data/row.ts";
import { tokenizePairs } from "../../engine/data/tokenizePairs.ts";
import type { JudgedAnswer, Verdict } from "../../engine/judges/answerJudge.ts";
import type { OwnModel } from "../keptReference.ts";
import type { LoadedData } from "../library.ts";
import type { Commands } from "../protocol.ts";

type Item = Commands["scoreAnswers"]["question"]["items"][number];

/** The texts alone, for judges that read no tokens. */
export function judgedText({ prompt, answer }: Item): JudgedAnswer {
  return { prompt, answer, promptIds: new Int32Array(), answerIds: new Int32Array() };
}

/**
 * Texts as tokens, exactly as pairs of the loaded set are read: cut to its limit, ended by its terminator, and as conversations where
 * the set has them. A text that gives none is answered with the reason.
 */
export function judgedTokens(
  items: readonly Item[],
  { model, tokenizer }: OwnModel,
  data: LoadedData,
): (JudgedAnswer | Extract<Verdict, { readonly reason: string }>)[] {
  const { terminator, maxTokens } = data.settings;
  const rows = items.map((item, row) => rowOf(item, row, data));
  const { pairs, problems } = tokenizePairs(rows, {
    tokenizer,
    maxTokens: Math.min(maxTokens, model.config.maxPositions),
    ...(terminator === "auto" ? {} : { terminator }),
  });
  const read = new Map(pairs.map((pair) => [pair.row, pair]));
  const unread = new Map(problems.map(({ row, reason }) => [row, reason]));
  return items.map((item, row) => {
    const pair = read.get(row);
    if (pair === undefined) return { reason: `It cannot be read: ${unread.get(row) ?? "it has no tokens"}.` };
    return { ...item, promptIds: pair.prompt, answerIds: pair.chosen };
  });
}

/** A row with one answer; a prompt of the set is taken as the set has it. */
function rowOf({ prompt, answer }: Item, row: number, { trainRows, heldoutRows }: LoadedData): PairRow {
  const rows = [...heldoutRows, ...trainRows];
  const known = rows.find((own) => textOf(own.prompt) === prompt);
  const like = known ?? rows[0];
  const isChat = like !== undefined && typeof like.prompt !== "string";
  const asked = isChat ? [{ role: "user" as const, content: prompt }] : prompt;
  return {
    prompt: known?.prompt ?? asked,
    chosen: isChat ? [{ role: "assistant", content: answer }] : answer,
    rejected: isChat ? [] : "",
    isSingle: true,
    ...(like?.isTranscript === true ? { isTranscript: true } : {}),
    source: { file: "", row },
  };
}
