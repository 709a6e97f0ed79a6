/** Blind choices between answers of the model: sampled, decided by a person, and made into a preference set. */
import { create } from "zustand";
import type { SampledAnswers } from "../worker/protocol.ts";
import {
  decide,
  isRound,
  jsonLines,
  pairsOf,
  rewrite,
  roundOf,
  undo,
  type Round,
  type Side,
  type Verdict,
} from "./annotationRules.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { download } from "./download.ts";
import { readKept, writeKept } from "./keptOnPage.ts";
import { judgeAnswers, type JudgedPairs } from "./judgedPairs.ts";
import { openData } from "./localFiles.ts";
import { addLog } from "./runStore.ts";

/** How answers are sampled. */
export interface SamplingSettings {
  /** Prompts, one a line; empty takes them from the loaded set. */
  readonly prompts: string;
  readonly count: number;
  readonly temperature: number;
  readonly maxNewTokens: number;
  readonly seed: number;
  /** Who says which answer is better: the person, or the judges in use. */
  readonly chooser: "person" | "judges";
  /** Drawn for each prompt where judges choose; a person always sees two. */
  readonly answersPerPrompt: number;
}

interface AnnotationState {
  readonly settings: SamplingSettings;
  /** Null before answers were sampled. */
  readonly round: Round | null;
  /** What the judges made of the answers; null before they did. It does not outlive a reload. */
  readonly judged: JudgedPairs | null;
  readonly isSampling: boolean;
  readonly refusal: string | null;
}

const roundKey = "prefscope.annotation";

/** The round of choices, which outlives a reload. */
export const useAnnotationStore = create<AnnotationState>(() => ({
  settings: {
    prompts: "",
    count: 20,
    temperature: 0.9,
    maxNewTokens: 48,
    seed: 7,
    chooser: "person",
    answersPerPrompt: 4,
  },
  round: readKept(roundKey, isRound),
  judged: null,
  isSampling: false,
  refusal: null,
}));

useAnnotationStore.subscribe(({ round }, previous) => {
  if (round !== previous.round) writeKept(roundKey, round);
});

/** Changes how answers are sampled. */
export function editSampling(change: Partial<SamplingSettings>): void {
  useAnnotationStore.setState(({ settings }) => ({ settings: { ...settings, ...change } }));
}

/** Lets the model answer every prompt twice, and starts a round with them. */
export async function sampleRound(): Promise<void> {
  await sampling(async (settings) => {
    const sampled = await drawAnswers(settings, 2);
    useAnnotationStore.setState({ round: roundOf(sampled, settings.seed) });
  });
}

/** Lets the model answer every prompt several times, and the judges in use make pairs of the best and the worst. */
export async function sampleAndJudge(): Promise<void> {
  await sampling(async (settings) => {
    const sampled = await drawAnswers(settings, settings.answersPerPrompt);
    useAnnotationStore.setState({ judged: await judgeAnswers(sampled) });
  });
}

function drawAnswers(
  { prompts: text, count, temperature, maxNewTokens, seed }: SamplingSettings,
  answersPerPrompt: number,
): Promise<readonly SampledAnswers[]> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const prompts = lines.length === 0 ? null : lines.slice(0, count);
  return callTrainer("sampleAnswers", {
    prompts,
    count: prompts?.length ?? count,
    answersPerPrompt,
    temperature,
    maxNewTokens,
    seed,
  });
}

async function sampling(work: (settings: SamplingSettings) => Promise<void>): Promise<void> {
  const { settings, isSampling } = useAnnotationStore.getState();
  if (isSampling) return;
  useAnnotationStore.setState({ isSampling: true, refusal: null });
  try {
    await work(settings);
  } catch (error) {
    useAnnotationStore.setState({ refusal: sentenceOf(error) });
  } finally {
    useAnnotationStore.setState({ isSampling: false });
  }
}

function change(next: (round: Round) => Round): void {
  const { round } = useAnnotationStore.getState();
  if (round !== null) useAnnotationStore.setState({ round: next(round) });
}

/** Decides the present item. */
export function giveVerdict(verdict: Verdict): void {
  change((round) => decide(round, verdict));
}

/** Takes the last verdict back. */
export function undoVerdict(): void {
  change(undo);
}

/** Puts a person's own text in place of an answer of the present item. */
export function rewriteAnswer(side: Side, text: string): void {
  change((round) => rewrite(round, side, text));
}

/** Drops the round with its verdicts, or what the judges made. */
export function dropRound(): void {
  useAnnotationStore.setState({ round: null, judged: null, refusal: null });
}

function pairsFile(): File | null {
  const { round, judged } = useAnnotationStore.getState();
  const pairs = round === null ? (judged?.pairs ?? []) : pairsOf(round);
  const name = round === null ? "judged.jsonl" : "annotated.jsonl";
  return pairs.length === 0 ? null : new File([jsonLines(pairs)], name, { type: "application/jsonl" });
}

/** Uses the pairs that were made as the preference set, like a file from a disk. */
export async function takePairs(): Promise<void> {
  const file = pairsFile();
  if (file !== null) await openData([file]);
}

/** Saves the pairs that were made. */
export function savePairs(): void {
  const file = pairsFile();
  if (file === null) return;
  download(file.name, file);
  addLog({ level: "info", message: `Saved ${file.name}.` });
}
