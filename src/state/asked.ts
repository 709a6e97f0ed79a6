/** Questions to the trainer whose newest answer is shown. */
import { create, type StoreApi, type UseBoundStore } from "zustand";
import type { CommandName, Commands } from "../worker/protocol.ts";
import { callTrainer } from "./connection.ts";

/** How a question stands. */
export interface Asked<Answer> {
  /** The newest answer; stays until another comes. */
  readonly answer: Answer | null;
  /** Why there is no newer answer, in a sentence; null when there is nothing to say. */
  readonly refusal: string | null;
  readonly isAsking: boolean;
}

/** One kind of question with its newest answer. */
export interface Asker<Name extends CommandName> {
  readonly useStore: UseBoundStore<StoreApi<Asked<Commands[Name]["answer"]>>>;
  /** Asks now; an earlier question that is still open is nobody's any more. */
  readonly ask: (question: Commands[Name]["question"]) => Promise<void>;
  /** Asks unless the last question had the same key. */
  readonly ensure: (key: string, question: Commands[Name]["question"]) => void;
  /** Drops the answer, and the open question with it. */
  readonly forget: () => void;
}

/** Makes a place for the questions of one command; what is done before each is part of it, with its refusal. */
export function createAsker<Name extends CommandName>(
  name: Name,
  { before }: { readonly before?: () => Promise<void> } = {},
): Asker<Name> {
  type State = Asked<Commands[Name]["answer"]>;
  const nothing: State = { answer: null, refusal: null, isAsking: false };
  const useStore = create<State>(() => nothing);
  let turn = 0;
  let lastKey: string | null = null;
  const ask = async (question: Commands[Name]["question"]) => {
    const own = ++turn;
    useStore.setState({ refusal: null, isAsking: true } as Partial<State>);
    let change: Partial<State>;
    try {
      await before?.();
      change = { answer: await callTrainer(name, question), isAsking: false };
    } catch (error) {
      change = { refusal: sentenceOf(error), isAsking: false };
    }
    if (own === turn) useStore.setState(change);
  };
  return {
    useStore,
    ask,
    ensure: (key, question) => {
      if (key === lastKey) return;
      lastKey = key;
      void ask(question);
    },
    forget: () => {
      turn += 1;
      lastKey = null;
      useStore.setState(nothing, true);
    },
  };
}

/** What an error says, whoever threw it. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
