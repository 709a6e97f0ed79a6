/** The box in which judges are tried: one answer, scored by every judge that a run would ask. */
import { create } from "zustand";
import type { JudgeSpec, Verdict } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { judgeKeptAside, judgesInUse } from "./judges.ts";
import { useSetupStore } from "./setupStore.ts";

/** What a judge said of the answer. */
export interface TrialVerdict {
  readonly judge: JudgeSpec;
  /** What its score counts; null for the judge kept aside. */
  readonly weight: number | null;
  readonly verdict: Verdict;
}

interface TrialState {
  readonly prompt: string;
  readonly answer: string;
  readonly isAsking: boolean;
  /** Null before anything was tried, or since it was changed. */
  readonly verdicts: readonly TrialVerdict[] | null;
}

/** What is tried. */
export const useTrialStore = create<TrialState>(() => ({
  prompt: "",
  answer: "",
  isAsking: false,
  verdicts: null,
}));

/** Changes what is tried. */
export function editTrial(change: Partial<Pick<TrialState, "prompt" | "answer">>): void {
  useTrialStore.setState({ ...change, verdicts: null });
}

/** Asks every judge in use that counts and the one kept aside; a person is not asked here. */
export async function tryJudges(): Promise<void> {
  const { prompt, answer, isAsking } = useTrialStore.getState();
  if (isAsking) return;
  useTrialStore.setState({ isAsking: true, verdicts: null });
  const setup = useSetupStore.getState();
  const aside = judgeKeptAside(setup);
  const asked: Omit<TrialVerdict, "verdict">[] = [
    ...judgesInUse(setup).filter(({ weight }) => weight !== 0),
    ...(aside === null ? [] : [{ judge: aside, weight: null }]),
  ].filter(({ judge }) => judge.kind !== "person");
  const verdicts: TrialVerdict[] = [];
  for (const one of asked) verdicts.push({ ...one, verdict: await ask(one.judge, { prompt, answer }) });
  const present = useTrialStore.getState();
  const isSame = present.prompt === prompt && present.answer === answer;
  useTrialStore.setState({ isAsking: false, verdicts: isSame ? verdicts : null });
}

async function ask(judge: JudgeSpec, item: { prompt: string; answer: string }): Promise<Verdict> {
  try {
    const [verdict] = await callTrainer("scoreAnswers", { judge, items: [item] });
    return verdict ?? { reason: "The judge said nothing." };
  } catch (error) {
    return { reason: sentenceOf(error) };
  }
}

/** The sum that a round would rank by; null while a judge in use has no score. */
export function combinedScore(verdicts: readonly TrialVerdict[]): number | null {
  let sum = 0;
  for (const { weight, verdict } of verdicts) {
    if (weight === null) continue;
    if (!("score" in verdict)) return null;
    sum += weight * verdict.score;
  }
  return verdicts.some(({ weight }) => weight !== null) ? sum : null;
}
