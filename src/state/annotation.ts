/** Blind choices between answers of the model: sampled, decided by a person, and made into a preference set. */
import { create } from "zustand";
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
}

interface AnnotationState {
  readonly settings: SamplingSettings;
  /** Null before answers were sampled. */
  readonly round: Round | null;
  readonly isSampling: boolean;
  readonly refusal: string | null;
}

const roundKey = "prefscope.annotation";

/** The round of choices, which outlives a reload. */
export const useAnnotationStore = create<AnnotationState>(() => ({
  settings: { prompts: "", count: 20, temperature: 0.9, maxNewTokens: 48, seed: 7 },
  round: readKept(roundKey, isRound),
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
  const { settings, isSampling } = useAnnotationStore.getState();
  if (isSampling) return;
  const { prompts: text, count, ...sampling } = settings;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const prompts = lines.length === 0 ? null : lines.slice(0, count);
  useAnnotationStore.setState({ isSampling: true, refusal: null });
  try {
    const question = { prompts, count: prompts?.length ?? count, answersPerPrompt: 2, ...sampling };
    const sampled = await callTrainer("sampleAnswers", question);
    useAnnotationStore.setState({ round: roundOf(sampled, settings.seed) });
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

/** Drops the round with its verdicts. */
export function dropRound(): void {
  useAnnotationStore.setState({ round: null, refusal: null });
}

function pairsFile(): File | null {
  const { round } = useAnnotationStore.getState();
  const pairs = round === null ? [] : pairsOf(round);
  return pairs.length === 0
    ? null
    : new File([jsonLines(pairs)], "annotated.jsonl", { type: "application/jsonl" });
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
