/** Ways back after a failure: a lower learning rate, or a new trainer, from the last good step. */
import type { ErrorReport, WorkerEvent } from "../worker/protocol.ts";
import { TrainerError } from "../worker/rpc.ts";
import { newRunId, startRun, train } from "./actions.ts";
import { openTrainer } from "./connection.ts";
import { edit, writeAddress } from "./editing.ts";
import { faultsAfterRestart } from "./injections.ts";
import { circumstances, ensureLoaded, warmUp, refreshPreflight } from "./loading.ts";
import { remediesNow } from "./memoryRemedies.ts";
import { dismissMessages, raiseError, raiseMessage } from "./messageStore.ts";
import { addLog, isRunActive, useRunStore } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";

/** What a learning rate is divided by after a loss that is not a number. */
export const learningRateCut = 3;

/** Set while the page is still starting, so that a restarted trainer finishes the start instead. */
export const starting: { finish: (() => Promise<void>) | null } = { finish: null };

let isRecovering = false;

/** A new trainer lives that refused to go on with the run: what it lacks can be given to it, and nothing else is restarted. */
let isTrainerFresh = false;

/** Goes on from the last good step with a third of the learning rate (NUM-1). */
export function resumeWithLowerRate(): Promise<void> {
  return once(lowerRateAndResume);
}

/** Goes on with the change that costs least of those that need less memory (MEM-1). */
export function resumeWithLessMemory(): Promise<void> {
  return once(lessMemoryAndResume);
}

/** Computes on the CPU from here on, also where a link asks for a GPU that is not there, and trains. */
export function trainOnCpu(): Promise<void> {
  return once(switchToCpu);
}

/** Starts a new trainer, gives it everything the old one held, and continues the run that was cut off. */
export function restartTrainer(): Promise<void> {
  return once(replaceTrainer);
}

/** Drops what is asked while a way back is already being gone. */
async function once(recover: () => Promise<void>): Promise<void> {
  if (isRecovering) return;
  isRecovering = true;
  try {
    await recover();
  } finally {
    isRecovering = false;
  }
}

async function lowerRateAndResume(): Promise<void> {
  const { runningConfig, config } = useSetupStore.getState();
  const { runId, checkpoint } = useRunStore.getState();
  if (runningConfig === null) return;
  const learningRate = Number((runningConfig.learningRate / learningRateCut).toPrecision(3));
  useSetupStore.setState({ config: { ...config, learningRate } });
  writeAddress();
  addLog({
    level: "info",
    message: `Resuming with learning rate ${learningRate}.`,
    step: checkpoint?.step ?? 0,
  });
  await continueRun(runId, { ...runningConfig, learningRate }).catch(raiseError);
}

async function lessMemoryAndResume(): Promise<void> {
  const { runningConfig, config } = useSetupStore.getState();
  const { failure, runId, checkpoint } = useRunStore.getState();
  const ranOut = failure?.error.code === "MEM-1" ? runningConfig : null;
  const [remedy] = remediesNow(ranOut !== null);
  if (remedy === undefined) return;
  const { words, patch, canResume } = remedy;
  if (ranOut === null) {
    dismissMessages("MEM-1");
    edit(patch);
    return;
  }
  useSetupStore.setState({ config: { ...config, ...patch } });
  writeAddress();
  addLog({ level: "info", message: `Going on with ${words}.`, step: checkpoint?.step ?? 0 });
  await continueRun(canResume ? runId : null, { ...ranOut, ...patch }).catch(raiseError);
}

async function switchToCpu(): Promise<void> {
  dismissMessages("GPU-1", "GPU-1b", "GPU-2");
  if (isRunActive(useRunStore.getState().phase)) return;
  const { config } = useSetupStore.getState();
  if (config.backend === "webgpu") {
    useSetupStore.setState({ config: { ...config, backend: "cpu" } });
    writeAddress();
  }
  if (starting.finish !== null) {
    useRunStore.setState({ phase: "waking", failure: null });
    try {
      await ensureLoaded(useSetupStore.getState().config);
    } catch (error) {
      reportFailedStart(error);
      return;
    }
    starting.finish = null;
    useRunStore.setState({ phase: "ready" });
  }
  await train();
  await refreshPreflight().catch(raiseError);
}

async function replaceTrainer(): Promise<void> {
  const { failure, runId, step } = useRunStore.getState();
  const { runningConfig, config } = useSetupStore.getState();
  const wasCutOff = runningConfig !== null && failure?.wasActive === true;
  dismissMessages("WRK-1", "NUM-2", "RUN-1");
  addLog({ level: "info", message: isTrainerFresh ? "Trying again." : "Starting a new trainer.", step });
  if (!isTrainerFresh && runningConfig !== null && runningConfig.rounds > 0) {
    const message =
      "An address that judges and reward models that were trained or opened were known to the old trainer alone: give them to the new one under Judges if the run needs them.";
    addLog({ level: "info", message, step });
  }
  useRunStore.setState({ phase: wasCutOff ? "recovering" : "waking", progress: null });
  circumstances.current = {
    ...circumstances.current,
    injections: faultsAfterRestart(circumstances.current.injections),
  };
  if (!isTrainerFresh) {
    useSetupStore.setState({ loaded: null });
    openTrainer();
  }
  isTrainerFresh = false;
  try {
    if (wasCutOff) await continueRun(runId, runningConfig);
    else if (starting.finish !== null) await starting.finish();
    else {
      await ensureLoaded(config);
      useRunStore.setState({ phase: "ready" });
      await refreshPreflight();
      await warmUp();
    }
  } catch (error) {
    if (starting.finish !== null && !wasCutOff) {
      reportFailedStart(error);
      return;
    }
    isTrainerFresh = wasCutOff && error instanceof TrainerError && error.code === "CFG-1";
    // Nothing is under way any more: the phase must not promise otherwise.
    useRunStore.setState({ phase: "failed", progress: null });
    raiseError(error);
  }
}

async function continueRun(
  runId: string | null,
  config: Parameters<typeof startRun>[0]["config"],
): Promise<void> {
  const { checkpoint } = useRunStore.getState();
  const isSameRun = checkpoint !== null && checkpoint.runId === runId;
  await startRun({
    runId: isSameRun ? checkpoint.runId : newRunId(),
    config,
    resume: isSameRun ? checkpoint : null,
  });
}

/** Tells of a trainer that died, and of the step that is safe. */
export function reportDeath(cause: string): void {
  // Browsers put the kind of the error before its words.
  const reason = cause.replace(/^Uncaught (\w*Error: )?/, "");
  const { phase, step, checkpoint, runId } = useRunStore.getState();
  const lastGoodStep = checkpoint !== null && checkpoint.runId === runId ? checkpoint.step : null;
  const wasActive = isRunActive(phase);
  const message = `The trainer stopped: ${reason}.`;
  const error = { name: "WorkerStoppedError", code: "WRK-1" as const, message, details: { reason } };
  isTrainerFresh = false;
  useSetupStore.setState({ loaded: null, loading: null });
  useRunStore.setState({
    phase: "failed",
    progress: null,
    judgement: null,
    failure: { step, lastGoodStep: wasActive ? lastGoodStep : null, error, wasActive },
  });
  addLog({ level: "error", code: "WRK-1", message, step });
  raiseMessage("WRK-1", { reason, step, lastGoodStep, wasActive: wasActive ? 1 : 0 });
}

/** Tells of a device that is gone; a run that needed it may have failed before. */
export function reportDeviceLoss(reason: string): void {
  // Whatever is done next has to open a device and load everything again.
  useSetupStore.setState({ loaded: null });
  if (useRunStore.getState().phase !== "failed") reportDeath(reason);
}

/** Tells of a start that did not come to its end; the message offers to try it again. */
export function reportFailedStart(error: unknown): void {
  if (useRunStore.getState().phase !== "waking") {
    raiseError(error);
    return;
  }
  const report = reportOf(error);
  useRunStore.setState({
    phase: "failed",
    progress: null,
    failure: { step: 0, lastGoodStep: null, error: report, wasActive: false },
  });
  raiseError(error, { isStart: 1 });
}

function reportOf(error: unknown): ErrorReport {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (!(error instanceof TrainerError)) return { name, code: "RUN-1", message, details: {} };
  return { name, code: error.code, message, details: error.details };
}

/** Tells of a run that the trainer itself gave up. */
export function reportFailure(event: Extract<WorkerEvent, { type: "failed" }>): void {
  const { runId } = useRunStore.getState();
  if (event.runId !== runId) return;
  const { error, step, lastGoodStep } = event;
  addLog({ level: "error", code: error.code, message: error.message, step });
  raiseMessage(error.code, { ...error.details, message: error.message, step, lastGoodStep, wasActive: 1 });
}
