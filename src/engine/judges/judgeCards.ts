/** What the page says of each kind of judge, as plain data. */
import type { JudgeSpec } from "./judgeSpec.ts";

/** A setting of a kind of judge. */
export interface JudgeField {
  /** The spec's own key. */
  readonly key: string;
  readonly label: string;
  readonly help: string;
  /** What it is typed into: a choice of the list there is, words one by one, a whole number, or a line. */
  readonly form: "choice" | "words" | "count" | "line";
}

/** A kind of judge as a person chooses it. */
export interface JudgeCard {
  readonly kind: JudgeSpec["kind"];
  readonly label: string;
  /** What is scored and how. */
  readonly help: string;
  /** What it needs before it can score, in one sentence; "" for nothing. */
  readonly needs: string;
  readonly fields: readonly JudgeField[];
  /** The spec that a person begins with. */
  readonly initial: JudgeSpec;
}

/** Every kind of judge, in the order of a list. */
export const judgeCards: readonly JudgeCard[] = [
  {
    kind: "program",
    label: "Built in",
    help: "A program that comes with the studio and knows what the pairs of its set are about. From −1 to 1.",
    needs: "",
    fields: [{ key: "id", label: "Program", help: "Each says what it rewards.", form: "choice" }],
    initial: { kind: "program", id: "kindEndings" },
  },
  {
    kind: "rewardModel",
    label: "Reward model",
    help: "A scalar head and an adapter on the loaded model, trained on pairs to score the chosen answer above the rejected one.",
    needs: "A reward model of the loaded model: one that comes along, or one that is trained or opened here.",
    fields: [{ key: "id", label: "Reward model", help: "One that fits the loaded model.", form: "choice" }],
    initial: { kind: "rewardModel", id: "" },
  },
  {
    kind: "words",
    label: "Words",
    help: "Each liked word adds 1 and each disliked word takes 1 away, as often as it stands there. There is deliberately no cap, so a policy can learn to repeat one word without end: this is the judge to watch being gamed.",
    needs: "",
    fields: [
      {
        key: "liked",
        label: "Liked words",
        help: "Whole words or phrases, whatever their case.",
        form: "words",
      },
      { key: "disliked", label: "Disliked words", help: "They count against an answer.", form: "words" },
    ],
    initial: { kind: "words", liked: ["happy"], disliked: ["sad"] },
  },
  {
    kind: "length",
    label: "Length",
    help: "1 at exactly so many words, 0 at half or twice as many, −1 at a quarter or four times as many and beyond.",
    needs: "",
    fields: [{ key: "words", label: "Words", help: "The length that is wanted.", form: "count" }],
    initial: { kind: "length", words: 20 },
  },
  {
    kind: "pattern",
    label: "Pattern",
    help: "1 where a regular expression matches anywhere in the answer, 0 where it does not. Written bare, or between slashes with i, m and s behind it; it runs in linear time, without back references and looking around.",
    needs: "",
    fields: [{ key: "pattern", label: "Regular expression", help: "Such as /^.*[.!?]$/s.", form: "line" }],
    initial: { kind: "pattern", pattern: "/[.!?]$/" },
  },
  {
    kind: "contains",
    label: "Contains",
    help: "The share of the texts wanted that stand in the answer, minus the share of the texts to avoid. From −1 to 1, whatever the case.",
    needs: "",
    fields: [
      { key: "wanted", label: "Wanted", help: "Pieces of text that should stand there.", form: "words" },
      { key: "avoided", label: "To avoid", help: "Pieces of text that should not.", form: "words" },
    ],
    initial: { kind: "contains", wanted: ["friend"], avoided: [] },
  },
  {
    kind: "implicit",
    label: "The policy itself",
    help: "log p of the policy minus log p of the model that the run started from, summed over the answer: the reward that DPO trains into the policy.",
    needs: "A policy that has been trained: before the first step every answer scores 0.",
    fields: [],
    initial: { kind: "implicit" },
  },
  {
    kind: "person",
    label: "You",
    help: "You choose the best (1) and the worst (−1) answer to each prompt, in an order that tells nothing; the others score 0. For rounds of few prompts.",
    needs: "You, at every round: the run waits until you have chosen.",
    fields: [],
    initial: { kind: "person" },
  },
  {
    kind: "endpoint",
    label: "Language model",
    help: "A language model behind an OpenAI-compatible address gives each answer a number from 0 to 10 by your words, which becomes a score from −1 to 1.",
    needs: "An address that you type in. Every prompt and every answer that it judges leaves this machine.",
    fields: [],
    initial: { kind: "endpoint" },
  },
];
