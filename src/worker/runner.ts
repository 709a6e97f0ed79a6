/** Drives one training run: turns the loop's reports into events, and pauses, steps and stops between them. */
import {
  followedPrompts,
  isSampleStep,
  meanScore,
  sampleMetrics,
  samplePrompts,
  type SampledAnswer,
  type SamplePrompt,
  type SampleSettings,
} from "../engine/training/samples.ts";
import { train, type Milestone, type TrainingReport, type TrainingRun } from "../engine/training/train.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { reportError } from "./errorReport.ts";
import type { MeasuredSae, Phase, StepRecord, WorkerEvent } from "./protocol.ts";
import { stepRoom } from "./stepRoom.ts";

/** Optimizer steps between checkpoints: what a failure can cost at most. */
const CHECKPOINT_EVERY = 20;
/** Steps cross the wall in batches, at most ten times a second. */
const FLUSH_EVERY_MS = 100;

/** A run with what the worker adds to it. */
export interface RunnerSettings {
  readonly runId: string;
  readonly run: TrainingRun;
  readonly sampling: SampleSettings;
  readonly prompts: readonly SamplePrompt[];
  /** Autoencoders of the run, whose features are numbered one after another. */
  readonly saes: readonly MeasuredSae[];
  /** Active milliseconds of the run that is resumed. */
  readonly activeMs: number;
  /** Aborted when the run is asked to end, so that a judge that waits lets go. */
  readonly stopping?: AbortController;
  readonly emit: (event: WorkerEvent) => void;
}

/** Something to do with the policy while nothing else uses the device. */
export type PolicyTask = (milestone: Milestone) => Promise<void>;

/** A run under way. */
export interface Runner {
  readonly pause: () => void;
  readonly resume: () => void;
  /** Takes exactly one more optimizer step. */
  readonly step: () => void;
  /** Ends after the step under way and keeps its checkpoint; resolves when the device is free. */
  readonly stop: () => Promise<void>;
  /** Runs the task at the next milestone, or not at all when the run ends before; rejects with the task's error. */
  readonly atMilestone: (task: PolicyTask) => Promise<void>;
  readonly sample: () => Promise<void>;
  /** Goes on by asking the judges again for what they could not score; resumes where none has failed. */
  readonly retryJudges: () => void;
  /** Resolves when the run has ended in whatever way. */
  readonly ended: Promise<void>;
}

/** Starts a run. */
export function startRunner(settings: RunnerSettings): Runner {
  const { runId, run, emit } = settings;
  const tasks: PolicyTask[] = [];
  let activeMs = settings.activeMs;
  let step = run.resume?.step ?? 0;
  let phase: Phase | null = null;
  let stepsAllowed = Infinity;
  let isStopping = false;
  /** The last milestone was reached. */
  let isOver = false;
  /** The policy as it is between two steps. */
  let between: Milestone | null = null;
  let decide: ((choice: "retry") => void) | null = null;
  let wake: (() => void) | null = null;

  const steps = createStepBuffer(runId, emit);
  /** Steps that wait to cross the wall go first, so that no event speaks of a step the page has not heard of. */
  const say = (event: WorkerEvent) => {
    steps.flush();
    emit(event);
  };
  const enter = (next: Phase, progress: { done: number; total: number } | null = null) => {
    if (next === phase && progress === null) return;
    phase = next;
    say({ type: "phase", runId, phase: next, step, progress });
  };

  const checkpoints = createCheckpoints({ runId, run, activeMs: () => activeMs, say });
  const checkpoint = async (milestone: Milestone, isUrgent = isStopping || stepsAllowed <= 0) => {
    if (!checkpoints.isNews(milestone)) return;
    if (milestone.isLast || isStopping) enter("saving");
    await checkpoints.keep(milestone, isUrgent);
  };

  const sample = async (milestone: Milestone, prompts: readonly SamplePrompt[]) => {
    const followed = prompts.slice(0, followedPrompts);
    const greedy = await samplePrompts(settings.sampling, milestone.weights, followed, "greedy");
    const seeded = await samplePrompts(settings.sampling, milestone.weights, prompts, "seeded");
    const samples: SampledAnswer[] = [...greedy, ...seeded];
    const [meanJudgeScore, metrics] = [meanScore(seeded), sampleMetrics(seeded)];
    say({ type: "samples", runId, step: milestone.step, samples, meanJudgeScore, metrics });
  };

  const visit = async (milestone: Milestone) => {
    // A run that resumes after a step has drawn the step's samples, but not where it was left before the step's milestone.
    const isSampled = run.resume !== undefined && between === null;
    between = milestone;
    if (milestone.isMidRound) {
      await checkpoint(milestone);
      await serve(milestone);
      return;
    }
    if (milestone.isLast || milestone.step % CHECKPOINT_EVERY === 0) await checkpoint(milestone);
    const isEdge = milestone.isLast || milestone.step === 0;
    if (!isStopping && !isSampled && (isEdge || isSampleStep(milestone.step))) {
      enter("evaluating");
      await sample(milestone, isEdge ? settings.prompts : settings.prompts.slice(0, followedPrompts));
    }
    await serve(milestone);
    if (isStopping) await checkpoint(milestone);
  };

  /** Does what was asked for, and waits while the run is paused, or until something is decided. */
  const serve = async (milestone: Milestone, isDecided = () => false) => {
    for (;;) {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) await task(milestone);
      if (isStopping || milestone.isLast || stepsAllowed > 0 || isDecided()) return;
      enter("paused");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  /** Waits like a pause; without a word about the judges the round goes on with what it has. */
  const askWhatToDo = async (report: Extract<TrainingReport, { kind: "judgeFailed" }>) => {
    if (between === null) return;
    await checkpoint(between, true);
    const allowedBefore = stepsAllowed;
    stepsAllowed = 0;
    let isRetried = false;
    decide = (choice) => {
      report.decide(choice);
      isRetried = true;
    };
    await serve(between, () => isRetried);
    decide = null;
    if (isRetried) stepsAllowed = allowedBefore;
    if (!isStopping) enter("judging");
  };

  const hear = async (report: TrainingReport, elapsedMs: number) => {
    if (report.kind === "reference") enter("caching-ref", { done: report.done, total: report.total });
    if (report.kind === "evaluating") enter("evaluating", { done: report.done, total: report.total });
    if (report.kind === "evaluation") {
      const { metrics, chosenDelta, rejectedDelta, scores } = report.evaluation;
      const pairIndex = Int32Array.from(chosenDelta, (_, index) => index);
      const points = { pairIndex, chosenDelta, rejectedDelta };
      const { features: means } = report.evaluation;
      const features = means === null ? null : { saes: settings.saes, ...means };
      say({ type: "evaluation", runId, step: report.step, activeMs, metrics, points, scores, features });
    }
    if (report.kind === "generating" || report.kind === "judging") {
      enter(report.kind, { done: report.done, total: report.total });
    }
    if (report.kind === "round") say({ type: "round", runId, record: report.record });
    if (report.kind === "onlineEvaluation") {
      say({ type: "onlineEvaluation", runId, evaluation: report.evaluation });
    }
    if (report.kind === "judgeFailed") await askWhatToDo(report);
    if (report.kind === "ready") say({ type: "room", runId, room: stepRoom(run, report) });
    if (report.kind === "step") {
      ({ step } = report);
      activeMs += elapsedMs;
      stepsAllowed -= 1;
      steps.add({ step, activeMs, metrics: withSpeed(report, elapsedMs) });
    }
    if (report.kind === "milestone") {
      const { milestone } = report;
      await visit(milestone);
      isOver ||= milestone.isLast;
      if (!milestone.isLast && !milestone.isMidRound && !isStopping) enter("training");
    }
  };

  const drive = async () => {
    const reports = train(run);
    if (run.resume) enter("recovering");
    try {
      for (;;) {
        const startedAt = performance.now();
        const next = await reports.next();
        if (next.done === true) break;
        await hear(next.value, performance.now() - startedAt);
        if (isStopping && (next.value.kind === "milestone" || next.value.kind === "reference")) break;
        // Messages from the page are heard between tasks only.
        await nextTask();
      }
      enter(isOver ? "done" : "stopped");
    } catch (error) {
      checkpoints.flush();
      enter("failed");
      const failed = reportError(error);
      // What happens between two steps, such as an evaluation, belongs to the step before.
      const at = Number(failed.details["step"] ?? step);
      say({ type: "failed", runId, step: at, lastGoodStep: checkpoints.lastStep(), error: failed });
    } finally {
      await reports.return().catch(() => undefined);
    }
  };

  const go = () => {
    wake?.();
    wake = null;
  };
  const ended = drive();
  const atMilestone = (task: PolicyTask) =>
    new Promise<void>((resolve, reject) => {
      tasks.push((milestone) => task(milestone).then(resolve, reject));
      void ended.then(resolve);
      go();
    });
  return {
    pause: () => {
      stepsAllowed = 0;
    },
    resume: () => {
      stepsAllowed = Infinity;
      go();
    },
    step: () => {
      stepsAllowed = 1;
      go();
    },
    stop: () => {
      isStopping = true;
      settings.stopping?.abort();
      go();
      return ended;
    },
    atMilestone,
    retryJudges: () => {
      if (decide === null) stepsAllowed = Infinity;
      else decide("retry");
      go();
    },
    sample: () => atMilestone((milestone) => sample(milestone, settings.prompts.slice(0, followedPrompts))),
    ended,
  };
}

/** Metrics with the speed of their own step; a step too short for the clock has none. */
function withSpeed({ metrics, tokens }: Extract<TrainingReport, { kind: "step" }>, elapsedMs: number) {
  if (elapsedMs <= 0) return metrics;
  return {
    ...metrics,
    "performance/step_ms": elapsedMs,
    "performance/tokens_per_second": tokens / (elapsedMs / 1000),
  };
}

function createStepBuffer(runId: string, emit: (event: WorkerEvent) => void) {
  let waiting: StepRecord[] = [];
  let flushedAt = -Infinity;
  const flush = () => {
    if (waiting.length === 0) return;
    const ready = waiting;
    waiting = [];
    flushedAt = performance.now();
    emit({ type: "steps", runId, steps: ready });
  };
  return {
    flush,
    add: (record: StepRecord) => {
      waiting.push(record);
      if (performance.now() - flushedAt >= FLUSH_EVERY_MS) flush();
    },
  };
}

/** Lets the worker hear messages. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
