/** What kinds of judges there are, in words, and how what is typed becomes one. */
import type { JudgeSpec } from "../../../worker/protocol.ts";

/** A kind of judge. */
export type JudgeKind = JudgeSpec["kind"];

/** Name and explanation of every kind. */
export const judgeKinds: Readonly<Record<JudgeKind, { readonly label: string; readonly help: string }>> = {
  program: { label: "Program", help: "A program of the studio that looks for signs of a style." },
  rewardModel: {
    label: "Reward model",
    help: "A model that has learned from pairs which answer is preferred. It can be pleased without being right.",
  },
  words: {
    label: "Words",
    help: "Each liked word adds one and each disliked word takes one away, as often as it stands in the answer.",
  },
  length: { label: "Length", help: "How near the answer comes to so many words." },
  pattern: {
    label: "Pattern",
    help: "1 where the regular expression matches the answer, 0 where it does not.",
  },
  contains: {
    label: "Contains",
    help: "The share of the wanted texts that stand in the answer, minus the share of those to avoid.",
  },
  implicit: {
    label: "Own reward",
    help: "How much likelier the trained model makes the answer than the reference does (DPO’s implicit reward).",
  },
  person: {
    label: "You",
    help: "The run waits while you choose the best and the worst answer of every prompt. For small rounds.",
  },
  endpoint: {
    label: "Endpoint",
    help: "A language model behind an address that you type in. Prompts and answers leave this machine.",
  },
};

/** What was typed for a judge; every kind reads its own parts. */
export interface JudgeDraft {
  readonly kind: JudgeKind;
  readonly id: string;
  readonly wanted: string;
  readonly unwanted: string;
  readonly words: number;
  readonly pattern: string;
}

/** A form that nobody has typed into. */
export const emptyDraft: JudgeDraft = {
  kind: "program",
  id: "",
  wanted: "",
  unwanted: "",
  words: 20,
  pattern: "",
};

/** Longest text and longest list that a judge takes. */
const longestText = 200;
const longestList = 256;
const longestPattern = 1000;
const mostWords = 10_000;

/** The judge that was typed, or why it is none yet. */
export function judgeOf(draft: JudgeDraft): { readonly judge: JudgeSpec } | { readonly problem: string } {
  switch (draft.kind) {
    case "program":
    case "rewardModel":
      return draft.id === ""
        ? { problem: "There is none to choose." }
        : { judge: { kind: draft.kind, id: draft.id } };
    case "words": {
      const [liked, disliked] = [listOf(draft.wanted, /[\n,]/), listOf(draft.unwanted, /[\n,]/)];
      return checkedLists(liked, disliked) ?? { judge: { kind: "words", liked, disliked } };
    }
    case "contains": {
      const [wanted, avoided] = [listOf(draft.wanted, "\n"), listOf(draft.unwanted, "\n")];
      return checkedLists(wanted, avoided) ?? { judge: { kind: "contains", wanted, avoided } };
    }
    case "length":
      return Number.isInteger(draft.words) && draft.words >= 1 && draft.words <= mostWords
        ? { judge: { kind: "length", words: draft.words } }
        : { problem: `A whole number from 1 to ${mostWords} is needed.` };
    case "pattern":
      return patternJudge(draft.pattern);
    case "implicit":
    case "person":
    case "endpoint":
      return { judge: { kind: draft.kind } };
  }
}

function patternJudge(pattern: string): ReturnType<typeof judgeOf> {
  if (pattern === "") return { problem: "Type a regular expression, such as ^Once\\b." };
  if (pattern.length > longestPattern) return { problem: `At most ${longestPattern} characters.` };
  return { judge: { kind: "pattern", pattern } };
}

function listOf(text: string, separator: string | RegExp): string[] {
  const items = text.split(separator).map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ""))];
}

function checkedLists(...lists: readonly (readonly string[])[]): { readonly problem: string } | null {
  if (lists.every((list) => list.length === 0)) return { problem: "Type at least one." };
  if (lists.some((list) => list.length > longestList))
    return { problem: `At most ${longestList} in a list.` };
  const tooLong = lists.flat().find((item) => item.length > longestText);
  return tooLong === undefined ? null : { problem: `At most ${longestText} characters each.` };
}
