/** A person as judge of a round: groups of answers, one after another, and the choices that are sent at the end. */
import { create } from "zustand";
import type { JudgementQuestion } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { isRunActive, useRunStore, type RunState } from "./runStore.ts";

/** Places of the best and the worst answer of a group; null where none is better. */
export type Choice = { readonly best: number; readonly worst: number } | null;

interface JudgementState {
  /** The question that the choices belong to; null when none waits. */
  readonly question: JudgementQuestion | null;
  /** What was decided, group after group. */
  readonly choices: readonly Choice[];
  /** The best answer of the present group, while its worst is not chosen yet. */
  readonly best: number | null;
  readonly isSending: boolean;
  readonly refusal: string | null;
}

const nothing: JudgementState = {
  question: null,
  choices: [],
  best: null,
  isSending: false,
  refusal: null,
};

/** What was decided so far. It lives as long as the question does, and no longer. */
export const useJudgementStore = create<JudgementState>(() => nothing);

/** The answers that wait for a person; null without a run that could use what is decided. */
export function openQuestion({ judgement, phase }: RunState): JudgementQuestion | null {
  return isRunActive(phase) ? judgement : null;
}

useRunStore.subscribe((run) => {
  const question = openQuestion(run);
  if (question === useJudgementStore.getState().question) return;
  useJudgementStore.setState({ ...nothing, question }, true);
});

/** The place of the group to decide next; null when all are decided. */
export function nextGroup({
  question,
  choices,
}: Pick<JudgementState, "question" | "choices">): number | null {
  return question === null || choices.length >= question.groups.length ? null : choices.length;
}

/** Chooses an answer of the present group: the best, and after it the worst. Of two answers the other one is the worst. */
export function chooseAnswer(place: number): void {
  const { best } = useJudgementStore.getState();
  const answers = presentAnswers();
  if (place < 0 || place >= answers || place === best) return;
  if (answers === 2) decide({ best: place, worst: 1 - place });
  else if (best === null) useJudgementStore.setState({ best: place });
  else decide({ best, worst: place });
}

/** Says that no answer of the present group is better than another. */
export function chooseNone(): void {
  decide(null);
}

function presentAnswers(): number {
  const state = useJudgementStore.getState();
  const place = nextGroup(state);
  return place === null ? 0 : (state.question?.groups[place]?.answers.length ?? 0);
}

function decide(choice: Choice): void {
  const state = useJudgementStore.getState();
  if (nextGroup(state) === null || state.isSending) return;
  useJudgementStore.setState({ choices: [...state.choices, choice], best: null });
}

/** Takes the last choice back. */
export function undoChoice(): void {
  const { best, choices, isSending } = useJudgementStore.getState();
  if (isSending) return;
  if (best === null) useJudgementStore.setState({ choices: choices.slice(0, -1) });
  else useJudgementStore.setState({ best: null });
}

/** Hands all choices to the run, which goes on with them. */
export async function sendJudgement(): Promise<void> {
  const { question, choices, isSending } = useJudgementStore.getState();
  if (question === null || isSending || choices.length < question.groups.length) return;
  useJudgementStore.setState({ isSending: true, refusal: null });
  try {
    await callTrainer("giveJudgement", { id: question.id, choices });
    // The trainer withdraws the question itself; until then it is not asked a second time.
    useRunStore.setState(({ judgement }) => (judgement?.id === question.id ? { judgement: null } : {}));
  } catch (error) {
    if (useJudgementStore.getState().question !== question) return;
    useJudgementStore.setState({ isSending: false, refusal: sentenceOf(error) });
  }
}
