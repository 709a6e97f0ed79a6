import type { RunState } from "../../../state/runStore.ts";
import type { RunConfig } from "../../../engine/training/config.ts";
import type { Preflight, StepRoom } from "../../../worker/protocol.ts";
import { formatBytes, formatClock, formatCount, formatShare, formatSpan, formatSpeed } from "../../format.ts";
import { phaseWords } from "../../text.ts";

type Status = Pick<
  RunState,
  "phase" | "step" | "progress" | "activeMs" | "secondsPerStep" | "stepsPerSecond" | "checkpoint" | "failure"
>;

/** The phase in words, with the number that belongs to it. */
export function phaseLabel({ phase, step, progress, checkpoint, failure }: Status, isOnCpu: boolean): string {
  if (phase === "waking") return isOnCpu ? "Waking" : "Waking GPU";
  if (phase === "caching-ref" && progress !== null) {
    return `Reference ${formatCount(progress.done)} of ${formatCount(progress.total)}`;
  }
  if ((phase === "generating" || phase === "judging") && progress !== null) {
    return `${phaseWords[phase]} ${formatCount(progress.done)} of ${formatCount(progress.total)}`;
  }
  if (phase === "recovering" && checkpoint !== null) return `Restoring from step ${checkpoint.step}`;
  if (phase === "stopped") return `Stopped at ${step}, kept`;
  if (phase === "failed" && failure !== null) return failure.error.code;
  return phaseWords[phase];
}

/** Share of the run that is done, between 0 and 1. */
export function shareDone({ step }: Pick<RunState, "step">, steps: number): number {
  return steps === 0 ? 0 : Math.min(1, step / steps);
}

/** One line of counts and times; only what was measured is in it. */
export function statusParts(status: Status, steps: number): string[] {
  const { phase, step, activeMs, secondsPerStep, stepsPerSecond } = status;
  const parts = [`step ${formatCount(step)} / ${formatCount(steps)}`];
  if (activeMs > 0) parts.push(`${formatClock(activeMs / 1000)} elapsed`);
  const isGoing = ["training", "evaluating", "paused"].includes(phase);
  if (isGoing && secondsPerStep !== null && step < steps) {
    // Below a tenth of the run the average may still move a lot.
    const rough = step / steps < 0.1 ? " (rough)" : "";
    parts.push(`≈ ${formatClock((steps - step) * secondsPerStep)} left${rough}`);
  }
  if (stepsPerSecond !== null) parts.push(formatSpeed(stepsPerSecond));
  return parts;
}

/** What a run will take, before the first one: steps, time and memory. */
export function readyParts(
  config: RunConfig,
  preflight: Preflight | null,
  secondsPerStep: number | null,
): string[] {
  const parts = [`${formatCount(config.steps)} steps`];
  if (secondsPerStep !== null) {
    const span = formatSpan(secondsPerStep * config.steps);
    // What rounds draw and score takes as long as the answers get.
    parts.push(config.rounds > 0 ? `≈ ${span} and ${config.rounds} rounds of answers` : `≈ ${span}`);
  }
  if (preflight !== null) parts.push(formatBytes(totalMemory(preflight)));
  return parts;
}

/** All parts of the memory estimate together. */
export function totalMemory({ memoryBytes }: Preflight): number {
  return Object.values(memoryBytes).reduce((sum, bytes) => sum + bytes, 0);
}

/** Rows of a mean batch, and what shared prompts save of them. */
export function rowsText({ rowsPerBatch, rowsPerBatchUnshared }: Preflight): string {
  const [rows, unshared] = [Math.round(rowsPerBatch), Math.round(rowsPerBatchUnshared)];
  if (rows >= unshared) return formatCount(rows);
  return `${formatCount(rows)} instead of ${formatCount(unshared)} (−${formatShare(1 - rows / unshared)})`;
}

/** What a step holds on the device: as estimated, and as it turned out in a run of the same setup. */
export function stepMemoryText({ memoryBytes }: Preflight, room: StepRoom | null): string {
  const estimate = `≈ ${formatBytes(memoryBytes.activations)}`;
  if (room === null || room.bytes === 0) return estimate;
  return `${formatBytes(room.bytes)} (${estimate} estimated)`;
}
