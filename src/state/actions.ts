/** What the command bar does: start, pause, step, stop, restart and save a run. */
import type { RunConfig } from "../engine/training/config.ts";
import type { Checkpoint } from "../worker/protocol.ts";
import { callTrainer } from "./connection.ts";
import { downloadFile } from "./download.ts";
import { ensureLoaded, refreshPreflight } from "./loading.ts";
import { dismissMessages, raiseError, raiseMessage } from "./messageStore.ts";
import { addLog, beginRun, isRunActive, rewindRun, useRunStore } from "./runStore.ts";
import { setupProblems, useSetupStore } from "./setupStore.ts";
import { openLayer } from "./viewStore.ts";

/** A run to start: a new one, or one that goes on from a checkpoint. */
export interface RunStart {
  readonly runId: string;
  readonly config: RunConfig;
  readonly resume: Checkpoint | null;
  /** Takes one step and pauses. */
  readonly isStepping?: boolean;
}

/** Losing less than this much active time needs no question. */
const lossWorthAskingMs = 30_000;

let runCount = 0;

/** A name for a run that no other run of this page has. */
export function newRunId(): string {
  runCount += 1;
  return `run-${Date.now().toString(36)}-${runCount}`;
}

/** Starts a run and waits until the trainer has taken it; rejects with the trainer's error. */
export async function startRun(start: RunStart): Promise<void> {
  useRunStore.setState({ isStarting: true });
  try {
    await ensureLoaded(start.config);
    await beginAt(start);
  } finally {
    useRunStore.setState({ isStarting: false });
  }
}

async function beginAt({ runId, config, resume, isStepping = false }: RunStart): Promise<void> {
  dismissMessages("MEM-1", "NUM-1", "NUM-2", "WRK-1", "RUN-1");
  const { failure } = useRunStore.getState();
  if (resume === null) beginRun(runId);
  else rewindRun(resume);
  const previous = useSetupStore.getState().runningConfig;
  useSetupStore.setState({ runningConfig: config });
  try {
    await callTrainer("start", { runId, config, resume, isStepping });
  } catch (error) {
    useSetupStore.setState({ runningConfig: previous });
    // A run that was to go on still can, once what it lacked is there.
    if (resume !== null && failure !== null)
      useRunStore.setState({ phase: "failed", progress: null, failure });
    throw error;
  }
}

/** Starts a new run with the present configuration; true once the trainer has taken it. */
export async function train({ isStepping = false } = {}): Promise<boolean> {
  const { config, preflight } = useSetupStore.getState();
  if (useRunStore.getState().isStarting || setupProblems({ config, preflight }).length > 0) return false;
  try {
    await startRun({ runId: newRunId(), config, resume: null, isStepping });
    return true;
  } catch (error) {
    raiseError(error);
    return false;
  }
}

/** Pauses after the current step. */
export function pause(): Promise<void> {
  return callTrainer("pause", null).then(nothing, raiseError);
}

/** Goes on after a pause. */
export function resume(): Promise<void> {
  return callTrainer("resume", null).then(nothing, raiseError);
}

/** Runs exactly one step; without a run it starts one and pauses it after its first step. */
export async function step(): Promise<void> {
  const { phase, isStarting } = useRunStore.getState();
  if (phase === "waking" || isStarting) return;
  if (isRunActive(phase)) await callTrainer("step", null).then(nothing, raiseError);
  else await train({ isStepping: true });
}

/** Ends the run and keeps what it has learned. */
export function stop(): Promise<void> {
  return callTrainer("stop", null).then(nothing, raiseError);
}

/** True when starting over would throw away more than half a minute of work that was not saved. */
export function wouldLoseWork(): boolean {
  const { activeMs, savedStep, step: present } = useRunStore.getState();
  return activeMs > lossWorthAskingMs && savedStep !== present;
}

/** Starts over with the present settings; asks first when much unsaved work would go. */
export async function restart(): Promise<void> {
  if (wouldLoseWork()) openLayer("restart");
  else await restartNow();
}

/** Starts over with the present settings; settings that cannot be trained leave the present run as it is. */
export async function restartNow(): Promise<void> {
  openLayer(null);
  const [problem] = setupProblems(useSetupStore.getState());
  if (problem !== undefined) {
    raiseMessage("CFG-1", { message: `${problem.field}: ${problem.message}` });
    return;
  }
  if (isRunActive(useRunStore.getState().phase)) await stop();
  await train();
  await refreshPreflight().catch(raiseError);
}

/** Downloads the adapter's files and the configuration. */
export async function save(): Promise<void> {
  try {
    const files = await callTrainer("exportAdapter", null);
    for (const file of files) downloadFile(file);
    const { step: present } = useRunStore.getState();
    useRunStore.setState({ savedStep: present });
    addLog({ level: "info", message: `Saved ${files.length} files.`, step: present });
  } catch (error) {
    raiseError(error);
  }
}

function nothing(): void {
  // The trainer's own events tell what happened.
}
