import type { MessageCode, Phase } from "../../../worker/protocol.ts";
import { formatShare, formatSpan } from "../../format.ts";

/** What the main button does when it is pressed. */
export type TrainAction =
  | "none"
  | "choose-data"
  | "show-problem"
  | "train"
  | "cancel"
  | "pause"
  | "resume"
  | "restart"
  | "lower-rate"
  | "less-memory"
  | "train-on-cpu"
  | "restart-trainer";

/** Everything the main button depends on. */
export interface TrainButtonInput {
  readonly phase: Phase;
  /** A run was asked for that the trainer has not begun yet. */
  readonly isStarting: boolean;
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly isOnCpu: boolean;
  readonly hasData: boolean;
  readonly isLoading: boolean;
  readonly problems: number;
  readonly changes: number;
  /** Estimated from timed steps; null until they were timed. */
  readonly secondsForRun: number | null;
  /** Rounds of answers to draw, whose time nobody knows before. */
  readonly rounds: number;
  readonly failureCode: MessageCode | null;
  readonly lastGoodStep: number | null;
  /** The run that ran out of memory has something to give up. */
  readonly canShrink: boolean;
}

/** The main button as it looks now. */
export interface TrainButtonView {
  readonly label: string;
  /** A second, quieter line; empty when there is nothing to add. */
  readonly detail: string;
  readonly action: TrainAction;
}

/** What the main button says and does in every state of a run. */
export function trainButton(input: TrainButtonInput): TrainButtonView {
  if (input.isStarting) return view("Starting…", "", "none");
  switch (input.phase) {
    case "waking":
      return view(input.isOnCpu ? "Waking…" : "Waking GPU…", "", "none");
    case "caching-ref":
    case "recovering":
      return view("Preparing", preparingDetail(input), "cancel");
    case "generating":
    case "judging":
    case "training":
    case "evaluating":
      return view("Pause", "", "pause");
    case "paused":
      return input.changes > 0 ? restartView(input.changes) : view("Resume", "", "resume");
    case "saving":
      return view("Saving…", "", "none");
    case "failed":
      return failedView(input);
    case "ready":
    case "done":
    case "stopped":
      return input.phase !== "ready" && input.changes > 0 && input.problems === 0
        ? restartView(input.changes)
        : idleView(input);
  }
}

function idleView({
  phase,
  isOnCpu,
  hasData,
  isLoading,
  problems,
  secondsForRun,
  rounds,
}: TrainButtonInput): TrainButtonView {
  if (isLoading) return view("Loading…", "", "none");
  if (!hasData) return view("Choose a dataset", "", "choose-data");
  const label = `${phase === "ready" ? "Train" : "Train again"}${isOnCpu ? " on CPU" : ""}`;
  if (problems > 0) return view(label, problems === 1 ? "1 problem" : `${problems} problems`, "show-problem");
  const sign = rounds > 0 ? ">" : "≈";
  return view(label, secondsForRun === null ? "" : `${sign} ${formatSpan(secondsForRun)}`, "train");
}

function preparingDetail({ phase, progress }: TrainButtonInput): string {
  if (progress === null || progress.total === 0) return "press to cancel";
  const share = formatShare(progress.done / progress.total);
  return phase === "caching-ref" ? `reference ${share}` : share;
}

function failedView({ failureCode, lastGoodStep, changes, canShrink }: TrainButtonInput): TrainButtonView {
  const from = lastGoodStep === null ? "from the start" : `from step ${lastGoodStep}`;
  if (failureCode === "NUM-1") return view("Resume, lr ÷ 3", from, "lower-rate");
  if (failureCode === "MEM-1") {
    if (changes > 0) return restartView(changes);
    if (canShrink) return view("Less memory", "", "less-memory");
  }
  if (failureCode?.startsWith("GPU-") === true) return view("Train on CPU", "", "train-on-cpu");
  if (failureCode === "NUM-2") return view("Restart device", from, "restart-trainer");
  if (failureCode === "WRK-1") return view("Restart", from, "restart-trainer");
  return view("Train again", "", "restart");
}

function restartView(changes: number): TrainButtonView {
  return view("Restart", `with ${changes} ${changes === 1 ? "change" : "changes"}`, "restart");
}

function view(label: string, detail: string, action: TrainAction): TrainButtonView {
  return { label, detail, action };
}
