/** The run as the trainer tells it. Nothing here is guessed: every value comes from one of its events. */
import { create } from "zustand";
import type { PairScores } from "../engine/training/evaluate.ts";
import type {
  Checkpoint,
  ErrorReport,
  JudgementQuestion,
  MessageCode,
  OnlineEvaluation,
  Phase,
  ProbePoints,
  RoundRecord,
  Sample,
  StepRoom,
  WorkerEvent,
} from "../worker/protocol.ts";
import { featureHistory } from "./movingFeatures.ts";
import { referenceLine } from "./referenceLine.ts";
import { RunHistory, type SeriesPoint } from "./series.ts";
import { ShownSteps } from "./shownSteps.ts";
import { afterOnlineEvaluation, afterRound, onlineEvaluationSentence, roundSentence } from "./toldRounds.ts";
import { roomSentence } from "./stepRoom.ts";
import { StepClock } from "./timing.ts";

/** Answers of the model at one step. */
export interface SampleSet {
  readonly step: number;
  readonly samples: readonly Sample[];
  readonly meanJudgeScore: number | null;
}

/** What ended a run before its time. */
export interface Failure {
  readonly step: number;
  readonly lastGoodStep: number | null;
  readonly error: ErrorReport;
  /** A run was going on and can be continued. */
  readonly wasActive: boolean;
}

/** One line of the log. */
export interface LogEntry {
  readonly id: number;
  readonly time: number;
  readonly level: "info" | "warning" | "error";
  readonly code: MessageCode | null;
  readonly message: string;
  readonly step: number | null;
}

/** Something that charts mark on the axis of steps. */
export interface RunMark {
  readonly step: number;
  readonly label: string;
}

/** The state of the run now. */
export interface RunState {
  readonly phase: Phase;
  /** A run was asked for that the trainer has not begun yet. */
  readonly isStarting: boolean;
  readonly runId: string | null;
  readonly step: number;
  /** Work inside the phase, when it has a count. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly activeMs: number;
  /** Grows whenever the history does; the history itself lives outside React. */
  readonly version: number;
  readonly secondsPerStep: number | null;
  readonly stepsPerSecond: number | null;
  readonly latest: Readonly<Record<string, number>>;
  readonly latestEvaluation: Readonly<Record<string, number>>;
  readonly points: ProbePoints | null;
  readonly pointsStep: number;
  /** What the objective makes of the probe pairs. */
  readonly scores: PairScores | null;
  /** Mean of the probe pairs at each evaluation. */
  readonly trail: readonly SeriesPoint[];
  readonly before: SampleSet | null;
  readonly now: SampleSet | null;
  readonly best: SampleSet | null;
  readonly checkpoint: Checkpoint | null;
  readonly failure: Failure | null;
  readonly marks: readonly RunMark[];
  readonly savedStep: number | null;
  /** What the steps hold on the device; null before that is known. */
  readonly room: StepRoom | null;
  /** Rounds of an online run, in order; none offline. */
  readonly rounds: readonly RoundRecord[];
  /** How the policy answered held-out prompts before the first round and after every one. */
  readonly onlineEvaluations: readonly OnlineEvaluation[];
  /** Answers that wait for the person's judgement. */
  readonly judgement: JudgementQuestion | null;
  readonly log: readonly LogEntry[];
}

/** Every metric of the run, complete. */
export const history = new RunHistory();

const clock = new StepClock();
const shownSteps = new ShownSteps();
/** Oldest lines leave the log beyond this many. */
const logLimit = 500;
let nextLogId = 1;

const emptyRun = {
  step: 0,
  progress: null,
  activeMs: 0,
  secondsPerStep: null,
  stepsPerSecond: null,
  latest: {},
  latestEvaluation: {},
  points: null,
  pointsStep: 0,
  scores: null,
  trail: [],
  before: null,
  now: null,
  best: null,
  checkpoint: null,
  failure: null,
  marks: [],
  savedStep: null,
  room: null,
  rounds: [],
  onlineEvaluations: [],
  judgement: null,
} satisfies Partial<RunState>;

/** The run of the page. */
export const useRunStore = create<RunState>(() => ({
  ...emptyRun,
  phase: "waking",
  isStarting: false,
  runId: null,
  version: 0,
  log: [],
}));

/** Clears the screen for a run; null when there is none yet. */
export function beginRun(runId: string | null): void {
  history.clear();
  featureHistory.clear();
  clock.reset();
  shownSteps.clear();
  useRunStore.setState(({ version, phase }) => ({
    ...emptyRun,
    // The last run's end is not the state of a run that has not begun.
    phase: phase === "done" || phase === "stopped" || phase === "failed" ? "ready" : phase,
    runId,
    version: version + 1,
  }));
}

/** Takes the run back to a checkpoint, so that it can go on from there. */
export function rewindRun(checkpoint: Checkpoint): void {
  history.rewindTo(checkpoint.step);
  featureHistory.rewindTo(checkpoint.step);
  shownSteps.rewindTo(checkpoint.step);
  clock.reset();
  const { points, pointsStep, scores, before, now, best } = shownSteps.at(checkpoint.step) ?? emptyRun;
  useRunStore.setState(({ version, trail, marks }) => ({
    step: checkpoint.step,
    activeMs: checkpoint.activeMs,
    failure: null,
    room: null,
    judgement: null,
    secondsPerStep: null,
    stepsPerSecond: null,
    latest: history.steps.at(-1)?.metrics ?? {},
    latestEvaluation: history.evaluations.at(-1)?.metrics ?? {},
    points,
    pointsStep,
    scores,
    before,
    now,
    best,
    trail: trail.slice(0, history.evaluations.length),
    marks: [...marks, { step: checkpoint.step, label: "Restored" }],
    version: version + 1,
  }));
}

/** Adds a line to the log. */
export function addLog(entry: Pick<LogEntry, "level" | "message"> & Partial<LogEntry>): void {
  const line: LogEntry = { code: null, step: null, time: Date.now(), ...entry, id: nextLogId++ };
  useRunStore.setState(({ log }) => ({ log: [...log, line].slice(-logLimit) }));
}

/** Marks a step on every chart. */
export function addMark(mark: RunMark): void {
  useRunStore.setState(({ marks }) => ({ marks: [...marks, mark] }));
}

/** Takes in what the trainer says; events of another run are ignored. */
export function applyEvent(event: WorkerEvent): void {
  if (isOfNoRun(event)) return;
  if (event.type === "reference") {
    addLog(referenceLine(event));
    return;
  }
  const runId = event.type === "checkpoint" ? event.checkpoint.runId : event.runId;
  const state = useRunStore.getState();
  if (runId !== state.runId) return;
  useRunStore.setState(changeFor(event, state));
  if (event.type === "evaluation" || event.type === "samples") {
    shownSteps.keep(event.step, useRunStore.getState());
  }
  if (event.type === "checkpoint") shownSteps.forgetBefore(event.checkpoint.step);
  const sentence = sentenceFor(event, state.phase);
  if (sentence !== null) addLog({ level: "info", message: sentence, step: useRunStore.getState().step });
}

type OtherEvent = Extract<
  WorkerEvent,
  { type: "heartbeat" | "deviceLost" | "sae" | "download" | "loading" | "rewardModel" }
>;

/** Whether an event is about something else than a run. */
function isOfNoRun(event: WorkerEvent): event is OtherEvent {
  const others: readonly WorkerEvent["type"][] = [
    "heartbeat",
    "deviceLost",
    "sae",
    "download",
    "loading",
    "rewardModel",
  ];
  return others.includes(event.type);
}

type RunEvent = Exclude<WorkerEvent, OtherEvent | { type: "reference" }>;

function changeFor(event: RunEvent, state: RunState): Partial<RunState> {
  switch (event.type) {
    case "phase":
      return { phase: event.phase, progress: event.progress, step: Math.max(event.step, 0) };
    case "room":
      return { room: event.room };
    case "steps":
      return afterSteps(event, state);
    case "evaluation":
      return afterEvaluation(event, state);
    case "samples": {
      const { step, samples, meanJudgeScore, metrics } = event;
      history.addSamples({ step, metrics });
      const set = { step, samples, meanJudgeScore };
      return { before: state.before ?? set, now: set, best: betterOf(state.best, set) };
    }
    case "checkpoint":
      return { checkpoint: event.checkpoint };
    case "round":
      return afterRound(event.record, state);
    case "onlineEvaluation":
      return afterOnlineEvaluation(event.evaluation, state);
    case "judgement":
      return { judgement: event.question };
    case "failed":
      return { phase: "failed", progress: null, failure: { ...event, wasActive: true } };
  }
}

/** What the log keeps of an event; null when it is not worth a line. */
function sentenceFor(event: RunEvent, previous: Phase): string | null {
  if (event.type === "evaluation") return evaluationSentence(event.metrics);
  if (event.type === "room") return roomSentence(event.room);
  if (event.type === "round") return roundSentence(event.record);
  if (event.type === "onlineEvaluation") return onlineEvaluationSentence(event.evaluation);
  if (event.type !== "phase" || event.phase === previous) return null;
  const sentences: Partial<Record<Phase, string>> = {
    generating: "Drawing answers for the next round.",
    judging: "Scoring the answers.",
    "caching-ref": "Reading the reference values of the pairs.",
    recovering: "Restoring the last good step.",
    paused: "Paused.",
    stopped: "Stopped; what was learned is kept.",
    done: "Done.",
  };
  if (event.phase === "training" && previous === "paused") return "Resumed.";
  return sentences[event.phase] ?? null;
}

function evaluationSentence(metrics: Readonly<Record<string, number>>): string {
  const parts = (
    [
      ["accuracy", metrics["eval_rewards/accuracies"]],
      ["log-ratio margin", metrics["eval_margins/logratio"]],
      ["loss", metrics["eval_loss"]],
    ] as const
  ).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${thousandths(value)}`]));
  return `Held-out pairs: ${parts.join(", ")}.`;
}

function thousandths(value: number): string {
  const text = value.toFixed(3);
  return text === "-0.000" ? "0.000" : text.replace("-", "−");
}

function afterSteps(event: Extract<RunEvent, { type: "steps" }>, state: RunState): Partial<RunState> {
  for (const record of event.steps) {
    history.addStep(record);
    clock.observe(record);
  }
  const last = event.steps.at(-1);
  if (last === undefined) return {};
  return {
    step: last.step,
    activeMs: last.activeMs,
    latest: last.metrics,
    secondsPerStep: clock.secondsPerStep(),
    stepsPerSecond: clock.stepsPerSecond(),
    version: state.version + 1,
  };
}

function afterEvaluation(
  event: Extract<RunEvent, { type: "evaluation" }>,
  state: RunState,
): Partial<RunState> {
  const { step, activeMs, metrics, points, scores, features } = event;
  history.addEvaluation({ step, activeMs, metrics });
  if (features !== null) featureHistory.add(step, features);
  return {
    latestEvaluation: metrics,
    points,
    pointsStep: step,
    scores,
    trail: [...state.trail, { x: mean(points.chosenDelta), y: mean(points.rejectedDelta) }],
    version: state.version + 1,
  };
}

function betterOf(best: SampleSet | null, candidate: SampleSet): SampleSet | null {
  if (candidate.meanJudgeScore === null) return best;
  const record = best?.meanJudgeScore ?? null;
  if (record === null || candidate.meanJudgeScore > record) return candidate;
  return best;
}

function mean(values: Float32Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Phases in which the trainer holds a run that has not ended. */
export function isRunActive(phase: Phase): boolean {
  const active: readonly Phase[] = [
    "generating",
    "judging",
    "caching-ref",
    "training",
    "evaluating",
    "paused",
    "saving",
    "recovering",
  ];
  return active.includes(phase);
}
