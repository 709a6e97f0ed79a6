/** Speed and time left, from the active time of steps: never from the first step, an evaluation or a pause. */
import type { StepRecord } from "../worker/protocol.ts";

/** How many steps must be timed before a time left is shown. */
const leastSteps = 10;
const leastActiveMs = 5000;
/** Weight of the newest step: an average over about the last twenty. */
const newestWeight = 0.1;

/** Averages the time of steps as they arrive. */
export class StepClock {
  private previous: StepRecord | null = null;
  private meanMs: number | null = null;
  private timed = 0;

  /** Takes in the next step. */
  observe(record: StepRecord): void {
    const previous = this.previous;
    this.previous = record;
    // The first step pays for one-off work, and a jump back to a checkpoint took no step.
    if (previous === null || record.step !== previous.step + 1) return;
    const elapsedMs = record.activeMs - previous.activeMs;
    this.timed += 1;
    this.meanMs = this.meanMs === null ? elapsedMs : this.meanMs + newestWeight * (elapsedMs - this.meanMs);
  }

  /** Seconds per step; null before enough steps were timed to say anything. */
  secondsPerStep(): number | null {
    if (this.meanMs === null || this.timed + 1 < leastSteps) return null;
    if ((this.previous?.activeMs ?? 0) < leastActiveMs) return null;
    return this.meanMs / 1000;
  }

  /** Steps per second as measured so far; null before the third step. */
  stepsPerSecond(): number | null {
    return this.meanMs === null || this.timed < 2 || this.meanMs <= 0 ? null : 1000 / this.meanMs;
  }

  /** Forgets everything. */
  reset(): void {
    this.previous = null;
    this.meanMs = null;
    this.timed = 0;
  }
}
