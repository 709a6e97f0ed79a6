/** How the learning rate changes over a run. */
export interface ScheduleSettings {
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Optimizer steps of the whole run, warm-up included. */
  readonly steps: number;
  readonly warmupSteps: number;
  readonly schedule: "constant" | "linear" | "cosine";
}

/**
 * Learning rate of optimizer step `step`, counted from 1. The multipliers are those of Hugging Face transformers
 * (`get_constant_schedule_with_warmup`, `get_linear_…`, `get_cosine_…`), whose first step has index 0: with warm-up
 * step 1 has rate 0, step `warmupSteps + 1` is the first at the peak, and the rate reaches 0 one step after the last.
 */
export function learningRateAt(step: number, settings: ScheduleSettings): number {
  return settings.learningRate * multiplierAt(step - 1, settings);
}

function multiplierAt(index: number, { steps, warmupSteps, schedule }: ScheduleSettings): number {
  if (index < warmupSteps) return index / Math.max(1, warmupSteps);
  if (schedule === "constant") return 1;
  const progress = (index - warmupSteps) / Math.max(1, steps - warmupSteps);
  if (schedule === "linear") return Math.max(0, 1 - progress);
  return progress >= 1 ? 0 : 0.5 * (1 + Math.cos(Math.PI * progress));
}
