/** The part of the protocol that is about preference sets: how they are read, what is in them, and what is wrong with them. */
import type { HealthCheck } from "../engine/data/steps/dataStep.ts";
import type { FileBytes } from "../engine/files/fileBytes.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { SeenPair } from "../engine/training/firstBatch.ts";

export type { SeenAnswer, SeenPair } from "../engine/training/firstBatch.ts";

/** One pair as text, for the page. */
export interface PairText {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

/** Why a row was left out. */
export interface RowNote {
  readonly row: number;
  readonly reason: string;
}

/** The loaded preference set. */
export interface DataSummary {
  readonly id: string;
  readonly label: string;
  readonly objective: string;
  readonly trainPairs: number;
  readonly heldoutPairs: number;
  readonly meanChosenTokens: number;
  readonly meanRejectedTokens: number;
  readonly examples: readonly PairText[];
  readonly promptChips: readonly string[];
  /** Rows left out, and the sentence of DAT-2 when there are any. */
  readonly notes: readonly RowNote[];
  readonly healthMessage: string | null;
  /** Pairs whose prompt was shortened to fit. */
  readonly truncatedPrompts: number;
  /** Pairs with an answer tokenised apart from its prompt, because a token would have crossed the seam. */
  readonly answersApart: number;
  readonly judge: string | null;
  /** Usable training and held-out rows as they were read, before any step. */
  readonly readPairs: number;
  /** What each step did, in order: one sentence with its numbers, and the training rows after it. */
  readonly steps: readonly {
    readonly kind: string;
    readonly sentence: string;
    readonly trainPairs: number;
  }[];
}

/** A layout that data sets come in. */
export interface DataLayout {
  readonly id: string;
  readonly label: string;
  readonly kind: "pairs" | "unpaired" | "sft" | "prompts";
  /** What its columns are for, such as `prompt`, with the name they have where nothing else is said. */
  readonly roles: readonly { readonly id: string; readonly column: string; readonly isOptional: boolean }[];
}

/** How a set was read, or would be, before it is used. */
export interface DataReading {
  readonly label: string;
  readonly columns: readonly string[];
  readonly layout: string;
  readonly columnsByRole: Readonly<Record<string, string>>;
  /** False where somebody should look at the columns before the set is used. */
  readonly isCertain: boolean;
  /** Other layouts whose columns the rows have. */
  readonly alternatives: readonly string[];
  readonly rows: number;
  /** Usable rows. */
  readonly read: number;
  /** The first rows: their cells as text, and what was read or why nothing was. */
  readonly preview: readonly {
    readonly cells: Readonly<Record<string, string>>;
    readonly pair: { readonly prompt: string; readonly chosen: string; readonly rejected: string } | null;
    readonly reason: string;
  }[];
}

/** A finding about the loaded set. */
export interface HealthFinding {
  readonly check: HealthCheck;
  readonly count: number;
  /** What it is and what it does, in one sentence with its number. */
  readonly sentence: string;
  /** Rows in question, at most 1000, by their place in the set. */
  readonly rows: readonly number[];
  /** Whether leaving the rows out is a remedy. */
  readonly isFixable: boolean;
}

/** Health of the loaded set, after its steps. */
export interface DataHealth {
  readonly findings: readonly HealthFinding[];
  /** Counts of token lengths in `edges` ranges. */
  readonly lengths: {
    readonly edges: Float32Array;
    readonly chosen: Float32Array;
    readonly rejected: Float32Array;
  };
  /** Share of pairs whose chosen answer is the longer one; ties count half. */
  readonly longerChosenShare: number;
}

/** A row of the loaded set as the table shows it. */
export interface DataRow {
  /** Place in the set as it was read. */
  readonly row: number;
  readonly split: "train" | "heldout";
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly chosenTokens: number;
  readonly rejectedTokens: number;
  /** Judged or stated gap; null where there is none. */
  readonly gap: number | null;
  readonly flags: readonly HealthCheck[];
  /** File and line, or what made it. */
  readonly source: string;
}

/** What rows are asked for. */
export interface RowQuery {
  /** Text or, between slashes, a regular expression; "" for all. */
  readonly search: string;
  readonly split: "all" | "train" | "heldout";
  readonly flag: HealthCheck | null;
  readonly sortBy: "row" | "gap" | "chosenTokens" | "rejectedTokens";
  readonly isDescending: boolean;
  readonly from: number;
  readonly count: number;
}

/** Two answers to a prompt, for a blind choice. */
export interface SampledAnswers {
  readonly prompt: string;
  readonly answers: readonly string[];
}

/** Commands about data; part of `Commands`. */
export interface DataCommands {
  listLayouts: { question: null; answer: readonly DataLayout[] };
  /** Reads a set as `loadData` would, without using it. */
  readData: {
    question: {
      id: string;
      files: readonly { readonly name: string; readonly bytes: FileBytes }[] | null;
      layout: string;
      columns: Readonly<Record<string, string>>;
    };
    answer: DataReading;
  };
  /** Files of rows of a data set on the Hub, with how many each has. */
  inspectHubData: {
    question: { repo: string };
    answer: {
      readonly license: string | null;
      readonly splits: readonly {
        /** Id for `loadData`: `hub:<repo>#<file>`, to which `?rows=<count>` may be added. */
        readonly id: string;
        readonly label: string;
        /** Null where only reading all of the file would tell. */
        readonly rows: number | null;
        readonly bytes: number;
      }[];
    };
  };
  dataHealth: { question: null; answer: DataHealth };
  dataRows: {
    question: RowQuery;
    answer: { readonly rows: readonly DataRow[]; readonly matches: number };
  };
  firstBatch: { question: { config: RunConfig }; answer: readonly SeenPair[] };
  /** Answers of the last run's policy, or of the loaded model, to prompts of the loaded set. */
  sampleAnswers: {
    question: {
      prompts: readonly string[] | null;
      count: number;
      answersPerPrompt: number;
      temperature: number;
      maxNewTokens: number;
      seed: number;
    };
    answer: readonly SampledAnswers[];
  };
  /** The loaded set after its steps, as TRL's JSON lines: training and held-out pairs. */
  exportData: { question: null; answer: readonly { readonly name: string; readonly bytes: Uint8Array }[] };
}
