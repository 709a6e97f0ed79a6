import type { ChatMessage } from "../../tokenizer/chatTemplate.ts";
import { assistant } from "./cells.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";

const ANSWER = "\n\nAssistant:";
const TURN = /\n\n(Human|Assistant):/;

/** Where the prompt of two transcripts ends: behind the last marker that both have at the same place, after equal text. */
function promptEnd(chosen: string, rejected: string): number {
  const end = chosen.lastIndexOf(ANSWER) + ANSWER.length;
  if (
    end >= ANSWER.length &&
    rejected.lastIndexOf(ANSWER) + ANSWER.length === end &&
    rejected.startsWith(chosen.slice(0, end))
  )
    return end;
  const shorter = Math.min(chosen.length, rejected.length);
  let common = 0;
  while (common < shorter && chosen[common] === rejected[common]) common++;
  const marker = chosen.slice(0, common).lastIndexOf(ANSWER);
  return marker < 0 ? 0 : marker + ANSWER.length;
}

/** What is said behind a marker: one space belongs to the marker. */
function said(text: string): string {
  return text.startsWith(" ") ? text.slice(1) : text;
}

/** The turns of a prompt that ends with the marker of the answer. */
function turnsOf(prompt: string): ChatMessage[] {
  const [before = "", ...parts] = prompt.slice(0, prompt.length - ANSWER.length).split(TURN);
  if (before.trim() !== "" || parts.length === 0)
    throw new BadRow("wrongType", 'the transcript does not begin with "\\n\\nHuman:"');
  const turns: ChatMessage[] = [];
  for (let at = 0; at < parts.length; at += 2)
    turns.push({ role: parts[at] === "Human" ? "user" : "assistant", content: said(parts[at + 1] ?? "") });
  return turns;
}

/** Anthropic's hh-rlhf: two transcripts that part at their last answer. Source: github.com/anthropics/hh-rlhf. */
export const hhRlhf: DataFormat = {
  id: "hhRlhf",
  label: "Transcripts (hh-rlhf)",
  kind: "pairs",
  roles: [role("chosen", "text"), role("rejected", "text")],
  narrows: "trlImplicit",
  recognises: (cells) =>
    (["chosen", "rejected"] as const).every((id) => {
      const text = cells.text(id);
      return text.startsWith("\n\nHuman:") && text.includes(ANSWER);
    }),
  readRow: (cells) => {
    const [chosen, rejected] = [cells.text("chosen"), cells.text("rejected")];
    const end = promptEnd(chosen, rejected);
    if (end === 0)
      throw new BadRow(
        "wrongType",
        'the two transcripts have no prompt in common that ends with "\\n\\nAssistant:"',
      );
    return {
      kind: "pair",
      prompt: turnsOf(chosen.slice(0, end)),
      chosen: assistant(said(chosen.slice(end))),
      rejected: assistant(said(rejected.slice(end))),
      isTranscript: true,
    };
  },
};

/** A prompt as hh-rlhf writes it: every turn behind its speaker, and the marker of the answer last. */
export function transcriptOf(prompt: readonly ChatMessage[]): string {
  const turns = prompt.map(({ role: speaker, content }) => {
    const name = speaker === "assistant" ? "Assistant" : "Human";
    return `\n\n${name}: ${content}`;
  });
  return `${turns.join("")}${ANSWER}`;
}
