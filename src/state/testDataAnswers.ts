/** What the trainer of tests answers about preference sets. */
import type { DataCommands } from "../worker/protocol.ts";

const answer = { tokens: ["Tom", " helped", "."], ids: Int32Array.of(4, 5, 6), isScored: [true, true, true] };

/** Answers by command. */
export const testDataAnswers: { [Name in keyof DataCommands]: DataCommands[Name]["answer"] } = {
  listLayouts: [
    {
      id: "trlPreference",
      label: "TRL preference",
      kind: "pairs",
      roles: [
        { id: "prompt", column: "prompt", isOptional: true },
        { id: "chosen", column: "chosen", isOptional: false },
        { id: "rejected", column: "rejected", isOptional: false },
      ],
    },
  ],
  readData: {
    label: "pairs.csv",
    columns: ["question", "good", "bad"],
    layout: "trlPreference",
    columnsByRole: { prompt: "question", chosen: "good", rejected: "bad" },
    isCertain: true,
    alternatives: [],
    rows: 3,
    read: 2,
    preview: [
      {
        cells: { question: "Lily lost her ball.", good: " Tom helped.", bad: " Tom laughed." },
        pair: { prompt: "Lily lost her ball.", chosen: " Tom helped.", rejected: " Tom laughed." },
        reason: "",
      },
      {
        cells: { question: "Lily fell.", good: "", bad: " Tom laughed." },
        pair: null,
        reason: "the chosen answer is empty",
      },
    ],
  },
  inspectHubData: {
    license: "mit",
    splits: [{ id: "hub:acme/pairs#train.parquet", label: "train", rows: 1000, bytes: 200_000 }],
  },
  dataHealth: {
    findings: [
      {
        check: "duplicate",
        count: 2,
        sentence: "2 pairs are in the set more than once and count double.",
        rows: [3, 9],
        isFixable: true,
      },
    ],
    lengths: {
      edges: Float32Array.of(0, 16, 32, 48),
      chosen: Float32Array.of(5, 9, 2),
      rejected: Float32Array.of(6, 8, 2),
    },
    longerChosenShare: 0.52,
  },
  dataRows: {
    matches: 1,
    rows: [
      {
        row: 0,
        split: "train",
        prompt: "Lily lost her ball.",
        chosen: " Tom helped her.",
        rejected: " Tom laughed.",
        chosenTokens: 5,
        rejectedTokens: 4,
        gap: 0.4,
        flags: [],
        source: "pairs.jsonl, row 1",
      },
    ],
  },
  firstBatch: [
    { row: 0, promptTokens: 6, chosen: answer, rejected: answer, isPromptCut: false, isAnswerCut: false },
  ],
  sampleAnswers: [{ prompt: "Lily lost her ball.", answers: [" Tom helped.", " Tom ran."] }],
  exportData: [{ name: "train.jsonl", bytes: new Uint8Array(2) }],
};
