/**
 * The rounds of an online run: each draws answers of the policy, has them scored, makes pairs of the best and the worst, and
 * hands these to the training loop for its share of the steps. Source: arXiv 2406.07657, as far as it is public; what a pair
 * is ranked by and what the reference is are our reading.
 */
import type { AnswerJudge } from "../judges/answerJudge.ts";
import { withReasons } from "../judges/withReasons.ts";
import type { Objective } from "../losses/objective.ts";
import type { RunConfig } from "../training/config.ts";
import { stretchOf, type Stretch } from "../training/stretch.ts";
import { drawRound } from "./drawAnswers.ts";
import { EmptyRoundError, emptyRoundMessage } from "./emptyRound.ts";
import { evaluateOnline, type EvaluationContext } from "./evaluateOnline.ts";
import { implicitJudge } from "./implicitJudge.ts";
import type { OnlineSetup, RoundsCheckpoint } from "./onlineSetup.ts";
import { restingPlace, type RoundContext, type RoundReport } from "./roundContext.ts";
import { beginRound, measureRound, ownSeconds, pairsOf, recordOf, settleRound } from "./roundPairs.ts";
import { createRoundReference, type Reference } from "./roundReference.ts";
import { firstState, readState, type RoundsState } from "./roundsState.ts";
import { scoreRound } from "./scoreAnswers.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";

/** Optimizer steps before a round, counted from 0; the last of them is the end of the run. */
export function stepsBefore(round: number, { steps, rounds }: Pick<RunConfig, "steps" | "rounds">): number {
  return Math.floor((round * steps) / rounds);
}

/** Why a configuration cannot be trained in rounds, and the setting to change; null where it can. */
export function whyNotOnline(
  config: RunConfig,
): { readonly field: "rounds" | "onlineReference"; readonly message: string } | null {
  if (config.rounds > config.steps) {
    const message = `The run has ${config.steps} steps for ${config.rounds} rounds: give it at least one step a round.`;
    return { field: "rounds", message };
  }
  if (config.tuning === "full" && config.onlineReference === "round") {
    const message =
      "All weights are trained, and a reference that moves with the rounds would be a second copy of them: keep the reference where the run started, or train an adapter.";
    return { field: "onlineReference", message };
  }
  return null;
}

/** What rounds need of the run that they belong to. */
export interface RoundParts extends Pick<RoundContext, "config" | "weights">, Reference {
  readonly objective: Objective;
  /** Reads the policy's parameters. */
  readonly save: () => Promise<Record<string, Float32Array>>;
}

/** What the training loop asks of its rounds. */
export interface Rounds {
  /** Where they are; the training loop and its checkpoints only read it. */
  readonly state: Readonly<RoundsState>;
  /** Whether they are within a round's work, not between two optimizer steps or two rounds. */
  readonly isMidRound: () => boolean;
  /** Makes the pairs of the round that begins after `step` steps, or goes on with it; null where the run was stopped. */
  readonly open: (step: number) => AsyncGenerator<RoundReport, Stretch | null>;
  /** Ends the round after its last step and answers the held-out prompts; false where the run was stopped. */
  readonly close: (step: number) => AsyncGenerator<RoundReport, boolean>;
  /** Remembers how many tokens the steps have read so far. */
  readonly countTokens: (tokens: number) => void;
  readonly watch: Stopwatch;
  /** What a run resumes with. */
  readonly checkpoint: () => RoundsCheckpoint;
  readonly dispose: () => void;
}

/** The rounds of a run, from the first or from a checkpoint on. Throws `RangeError` for a setup that has none. */
export function openRounds(setup: OnlineSetup, parts: RoundParts): Rounds {
  const { config } = parts;
  if (config.rounds < 1) throw new RangeError(`${config.rounds} rounds were asked for, expected at least 1.`);
  const problem = whyNotOnline(config);
  if (problem !== null) throw new RangeError(problem.message);
  const { prompts, heldoutPrompts, heldoutJudge, tokenizer, signal, now, resume } = setup;
  const judges = setup.judges.map(({ judge, weight }) => ({ weight, judge: withPolicy(judge, parts) }));
  const sizes = { prompts: prompts.length, judges: judges.length };
  const state = resume === undefined ? firstState(sizes.prompts) : readState(resume.state, sizes);
  const { model, weights } = parts;
  const context: RoundContext = { prompts, judges, tokenizer, signal, config, model, weights, state };
  const evaluated: EvaluationContext = {
    ...context,
    heldoutPrompts,
    heldoutJudge: heldoutJudge === null ? null : withPolicy(heldoutJudge, parts),
  };

  const watch = createStopwatch(now, () => state.seconds);
  const { timed } = watch;
  const reference = createRoundReference(config, parts, resume?.reference);

  async function* evaluate(rounds: number, step: number): AsyncGenerator<RoundReport, void> {
    const seconds = state.pastSeconds + ownSeconds(state);
    const evaluation = yield* timed("evaluate", evaluateOnline(evaluated, { rounds, step, seconds }));
    state.hasEnded = evaluation.endsRun;
    if (rounds > 0) state.stage = "over";
    yield { kind: "onlineEvaluation", evaluation };
  }

  async function* begin(step: number): AsyncGenerator<RoundReport, Stretch> {
    if (state.heldoutMeans.length === 0) yield* evaluate(0, step);
    if (state.stage === "over") beginRound(context, step);
    if (state.stage === "draw") {
      yield* timed("generate", drawRound(context, step));
      state.stage = "score";
    }
    if (state.stage === "score") {
      const recordSoFar = () => recordOf(state, measureRound(context, parts.objective));
      yield* timed("score", scoreRound(context, step, recordSoFar));
      yield* refuseEmpty(measureRound(context, parts.objective));
      settleRound(context, parts.objective);
      yield { kind: "round", record: recordOf(state) };
      yield restingPlace;
    }
    const pairs = pairsOf(context);
    const compared = await watch.spend("reference", () => reference.open(parts.save));
    const lastStep = stepsBefore(state.round + 1, config);
    return stretchOf(config, pairs, { ...compared, firstStep: step + 1, lastStep });
  }

  /** Forgets the verdicts of a round without pairs, so that a run which goes on from here asks the judges again. */
  async function* refuseEmpty(made: ReturnType<typeof measureRound>): AsyncGenerator<RoundReport, void> {
    const { stored, outcomes } = made;
    if (pairsOf({ prompts, state: { ...state, stored } }).length > 0) return;
    yield { kind: "round", record: recordOf(state, made) };
    const told = { round: state.round, outcomes, failures: state.failures.length };
    [state.verdicts, state.failures] = [[], []];
    yield restingPlace;
    throw new EmptyRoundError(emptyRoundMessage(told, config));
  }

  async function* end(step: number): AsyncGenerator<RoundReport, true> {
    state.stage = "evaluate";
    reference.close();
    yield restingPlace;
    yield* evaluate(state.round + 1, step);
    yield { kind: "round", record: { ...recordOf(state), isOver: true } };
    return true;
  }

  return {
    state,
    watch,
    isMidRound: () => state.stage !== "train" && state.stage !== "over",
    open: (step) => stoppable(signal, null, begin(step)),
    close: (step) => stoppable(signal, false, end(step)),
    countTokens: (tokens) => {
      state.tokensSeen = tokens;
    },
    checkpoint: () => ({ state: JSON.stringify(state), reference: reference.values() }),
    dispose: reference.dispose,
  };
}

/** A judge as the rounds ask it: its failures are verdicts, and the policy's own reward is that of the policy as it is. */
function withPolicy(judge: AnswerJudge, { model, weights }: RoundParts): AnswerJudge {
  if (judge.spec.kind !== "implicit") return withReasons(judge);
  return withReasons({ ...implicitJudge(model, weights), label: judge.label });
}

/** Work that a stop may break off: it then rests once more, so that the run can be saved, and gives `stopped`. */
async function* stoppable<Result, Stopped>(
  signal: AbortSignal,
  stopped: Stopped,
  reports: AsyncGenerator<RoundReport, Result>,
): AsyncGenerator<RoundReport, Result | Stopped> {
  try {
    return yield* reports;
  } catch (cause) {
    if (!signal.aborted) throw cause;
    yield restingPlace;
    return stopped;
  }
}
