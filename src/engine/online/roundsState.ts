/** Where the rounds of a run are, as plain data: written into every checkpoint, and read back by a run that goes on. */
import type { Verdict } from "../judges/answerJudge.ts";
import type { JudgeFailure, PromptOutcome, RoundSeconds, ScoredPair } from "./roundRecord.ts";

/** An answer to a prompt, by the prompt's place. */
export interface DrawnAnswer {
  readonly prompt: number;
  /** With its stop token where it was drawn. */
  readonly ids: readonly number[];
  readonly text: string;
}

/** The pair of a prompt; that of the data set has no ids of its own, its tokens are the prompt's `pair`. */
export interface StoredPair extends ScoredPair {
  readonly chosenIds: readonly number[];
  readonly rejectedIds: readonly number[];
}

/** What a round is doing: `over` is before the first round and after every one. */
export type Stage = "draw" | "score" | "train" | "evaluate" | "over";

/** The state of all rounds. */
export interface RoundsState {
  /** The round under way or the last one; −1 before the first. */
  round: number;
  /** Optimizer steps before it. */
  step: number;
  stage: Stage;
  /** By prompt. */
  stored: (StoredPair | null)[];
  /** By prompt: tokens of all answers when they were drawn last. */
  drawnTokens: number[];
  /** By prompt: the ranking key of its first pair. */
  baselines: (number | null)[];
  /** Prompts that the round draws anew. */
  drawn: number[];
  answers: DrawnAnswer[];
  /** [judges][answers], empty before the first is asked; null where a judge has not been asked yet. */
  verdicts: (Verdict | null)[][];
  failures: JudgeFailure[];
  /** What became of the prompts, and metrics of it; empty until there are pairs. */
  outcomes: PromptOutcome[];
  metrics: Record<string, number>;
  seconds: { -readonly [Stage in keyof RoundSeconds]: number };
  /** Seconds of all rounds before, without evaluations. */
  pastSeconds: number;
  /** Tokens that all optimizer steps have read. */
  tokensSeen: number;
  /** Scores of the starting model's answers by held-out prompt; null before they are there. */
  start: { readonly proxy: number | null; readonly heldout: number | null }[] | null;
  /** Mean score of the held-out judge, before the first round and after every one. */
  heldoutMeans: (number | null)[];
  /** The run has ended because the held-out judge has fallen for too long. */
  hasEnded: boolean;
}

/** No seconds of anything. */
export function noSeconds(): RoundsState["seconds"] {
  return { generate: 0, score: 0, reference: 0, train: 0, evaluate: 0 };
}

/** The state before the first round. */
export function firstState(prompts: number): RoundsState {
  return {
    round: -1,
    step: 0,
    stage: "over",
    stored: Array.from({ length: prompts }, () => null),
    drawnTokens: Array.from({ length: prompts }, () => 0),
    baselines: Array.from({ length: prompts }, () => null),
    drawn: [],
    answers: [],
    verdicts: [],
    failures: [],
    outcomes: [],
    metrics: {},
    seconds: noSeconds(),
    pastSeconds: 0,
    tokensSeen: 0,
    start: null,
    heldoutMeans: [],
    hasEnded: false,
  };
}

/** What a written state says but for its seconds: equal where nothing but time has passed. */
export function progressOf(text: string): string {
  return JSON.stringify({ ...(JSON.parse(text) as RoundsState), seconds: null });
}

/** The state that a checkpoint has written. Throws `RangeError` where it is of another run. */
export function readState(
  text: string,
  { prompts, judges }: { prompts: number; judges: number },
): RoundsState {
  const state = JSON.parse(text) as RoundsState;
  if (state.stored.length !== prompts) {
    throw new RangeError(
      `The checkpoint is of a run over ${state.stored.length} prompts, this run has ${prompts}: resume it with the set that it was started with.`,
    );
  }
  if (state.verdicts.length > 0 && state.verdicts.length !== judges) {
    throw new RangeError(
      `The checkpoint has verdicts of ${state.verdicts.length} judges, this run has ${judges}: resume it with the judges that it was started with.`,
    );
  }
  return state;
}
