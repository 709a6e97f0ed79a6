import { expect, it } from "vitest";
import { trainButton, type TrainButtonInput } from "./trainButton.ts";

const ready: TrainButtonInput = {
  phase: "ready",
  isStarting: false,
  progress: null,
  isOnCpu: false,
  hasData: true,
  isLoading: false,
  problems: 0,
  changes: 0,
  secondsForRun: 25,
  rounds: 0,
  failureCode: null,
  lastGoodStep: null,
  canShrink: true,
};

it.each([
  ["probing", { phase: "waking" }, "Waking GPU…", "", "none"],
  ["no data", { hasData: false }, "Choose a dataset", "", "choose-data"],
  ["an invalid field", { problems: 1 }, "Train", "1 problem", "show-problem"],
  ["ready", {}, "Train", "≈ 25 s", "train"],
  ["asked for, not begun", { isStarting: true }, "Starting…", "", "none"],
  ["ready with rounds of answers", { rounds: 3 }, "Train", "> 25 s", "train"],
  ["ready without WebGPU", { isOnCpu: true, secondsForRun: 180 }, "Train on CPU", "≈ 3 min", "train"],
  [
    "reading the reference",
    { phase: "caching-ref", progress: { done: 205, total: 512 } },
    "Preparing",
    "reference 40%",
    "cancel",
  ],
  ["training", { phase: "training" }, "Pause", "", "pause"],
  ["paused", { phase: "paused" }, "Resume", "", "resume"],
  ["paused and changed", { phase: "paused", changes: 2 }, "Restart", "with 2 changes", "restart"],
  ["done and changed", { phase: "done", changes: 1 }, "Restart", "with 1 change", "restart"],
  ["stopped, unchanged", { phase: "stopped" }, "Train again", "≈ 25 s", "train"],
  ["saving", { phase: "saving" }, "Saving…", "", "none"],
  [
    "a loss that is not a number",
    { phase: "failed", failureCode: "NUM-1", lastGoodStep: 80 },
    "Resume, lr ÷ 3",
    "from step 80",
    "lower-rate",
  ],
  ["out of memory", { phase: "failed", failureCode: "MEM-1" }, "Less memory", "", "less-memory"],
  [
    "out of memory with nothing to give up",
    { phase: "failed", failureCode: "MEM-1", canShrink: false },
    "Train again",
    "",
    "restart",
  ],
  [
    "out of memory and changed",
    { phase: "failed", failureCode: "MEM-1", changes: 1 },
    "Restart",
    "with 1 change",
    "restart",
  ],
  [
    "a GPU that is asked for and not there",
    { phase: "failed", failureCode: "GPU-1" },
    "Train on CPU",
    "",
    "train-on-cpu",
  ],
  [
    "a dead trainer",
    { phase: "failed", failureCode: "WRK-1" },
    "Restart",
    "from the start",
    "restart-trainer",
  ],
] as const)("%s", (_state, change, label, detail, action) => {
  expect(trainButton({ ...ready, ...change })).toEqual({ label, detail, action });
});
