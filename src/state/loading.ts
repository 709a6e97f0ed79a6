/** Keeps the trainer's device, model and data in step with a configuration, one load at a time. */
import type { RunConfig } from "../engine/training/config.ts";
import type {
  BackendReport,
  CommandName,
  Commands,
  DataSummary,
  Injection,
  LocalFile,
  MessageCode,
} from "../worker/protocol.ts";
import { callTrainer } from "./connection.ts";
import { useDeviceStore } from "./deviceStore.ts";
import { isOnHub, tellHub } from "./hub.ts";
import { localId } from "./link.ts";
import { dismissMessages, raiseMessage } from "./messageStore.ts";
import { addLog, isRunActive, useRunStore } from "./runStore.ts";
import { adaptersKey, dataKey, setupProblems, useSetupStore } from "./setupStore.ts";

/** What the address and the browser say about the device, fixed for the life of the page. */
export interface DeviceCircumstances {
  readonly isSecure: boolean;
  injections: readonly Injection[];
}

/** Set once at the start; a restarted trainer gets fewer injections. */
export const circumstances: { current: DeviceCircumstances } = {
  current: { isSecure: true, injections: [] },
};

const deviceCodes: readonly MessageCode[] = ["GPU-1", "GPU-1b", "GPU-2", "GPU-3"];

let queue: Promise<unknown> = Promise.resolve();
let preflightTurn = 0;
/** Loads that were asked for and have not ended: until then the trainer may hold anything. */
let openLoads = 0;

/** Loads whatever of a configuration the trainer does not hold yet; rejects when a part cannot be loaded. */
export function ensureLoaded(config: RunConfig): Promise<void> {
  return inTurn(() => load(config));
}

/** Loads the device and the model of a configuration, unless the trainer holds them; rejects when that cannot be done. */
export function ensureModel(config: RunConfig): Promise<void> {
  return inTurn(() => loadBase(config));
}

function inTurn(load: () => Promise<void>): Promise<void> {
  openLoads += 1;
  const work = queue.then(load);
  queue = work.catch(() => undefined);
  return work.finally(() => {
    openLoads -= 1;
    useSetupStore.setState({ loading: null, loadingBytes: null });
  });
}

async function loadBase(config: RunConfig): Promise<void> {
  await loadDevice(config);
  const { loaded } = useSetupStore.getState();
  if (loaded?.model !== config.model || loaded.weights !== config.baseWeights) await loadModel(config);
}

async function load(config: RunConfig): Promise<void> {
  await loadBase(config);
  if (useSetupStore.getState().loaded?.adapters !== adaptersKey(config)) await standAdapters(config);
  if (useSetupStore.getState().loaded?.data !== dataKey(config)) await loadData(config);
}

async function loadDevice({ backend }: RunConfig): Promise<void> {
  if (useSetupStore.getState().loaded?.backend === backend) return;
  useSetupStore.setState({ loading: "device", loaded: null, secondsPerStep: null, preflight: null });
  const { isSecure, injections } = circumstances.current;
  const report = await callTrainer("open", { backend, isSecure, injections });
  useDeviceStore.setState({ report });
  useSetupStore.setState({ loaded: { backend, model: "", weights: "keep", adapters: noAdapters, data: "" } });
  dismissMessages(...deviceCodes);
  announceDevice(report);
}

/** The message a device deserves; GPU-4 is told by the chip and the log alone. */
function announceDevice(report: BackendReport): void {
  const device = report.backend === "cpu" ? "the CPU" : `${report.label} through WebGPU`;
  addLog({ level: "info", message: `Computing on ${device}, in 32-bit.` });
  if (report.backend === "webgpu" && !report.hasShaderF16) {
    addLog({
      level: "info",
      code: "GPU-4",
      message: "32-bit arithmetic: this GPU offers no 16-bit shaders.",
    });
  }
  const code = deviceMessage(report);
  if (code !== null) raiseMessage(code, { device: report.label });
}

/** Which message a device's report calls for. */
export function deviceMessage(report: BackendReport): MessageCode | null {
  if (report.reason === "insecure-context") return "GPU-1b";
  if (report.reason === "no-gpu-api") return "GPU-1";
  if (report.reason === "no-adapter") return "GPU-2";
  return report.backend === "webgpu" && report.isSoftware ? "GPU-3" : null;
}

const noAdapters = adaptersKey({ adapters: [] });

async function loadModel({ model: id, baseWeights: weights }: RunConfig): Promise<void> {
  useSetupStore.setState({ loading: "model" });
  const files = id === localId ? handOver(useSetupStore.getState().chosenFiles.model ?? []) : null;
  const model = await callTrainer("loadModel", { id, files, weights });
  useSetupStore.setState(({ loaded }) => ({
    model,
    standing: null,
    preflight: null,
    secondsPerStep: null,
    loaded: loaded && { ...loaded, model: id, weights, adapters: noAdapters, data: "" },
  }));
}

async function standAdapters(config: RunConfig): Promise<void> {
  useSetupStore.setState({ loading: "adapters", loadingBytes: null });
  const standing = await callTrainer("useAdapters", { adapters: config.adapters });
  useSetupStore.setState(({ loaded }) => ({
    standing,
    preflight: null,
    loaded: loaded && { ...loaded, adapters: adaptersKey(config) },
  }));
}

async function loadData(config: RunConfig): Promise<void> {
  useSetupStore.setState({ loading: "data", loadingBytes: null });
  const { data: id, objective, maxTokens, terminator } = config;
  const { dataLayout: layout, dataColumns: columns, dataSteps: steps } = config;
  const files = id === localId ? handOver(useSetupStore.getState().chosenFiles.data ?? []) : null;
  if (isOnHub(id)) await tellHub();
  const question = { id, objective, files, maxTokens, terminator, layout, columns, steps };
  const data = await callTrainer("loadData", question);
  useSetupStore.setState(({ loaded }) => ({ data, loaded: loaded && { ...loaded, data: dataKey(config) } }));
  dismissMessages("DAT-2");
  noteChangedPairs(data);
  if (data.healthMessage !== null) {
    addLog({ level: "warning", code: "DAT-2", message: data.healthMessage });
    raiseMessage("DAT-2", { message: data.healthMessage, rows: data.notes.length });
  }
}

/** Notes what was done to pairs that are trained all the same. */
function noteChangedPairs({ truncatedPrompts, answersApart }: DataSummary): void {
  const pairs = (count: number) => `${count} ${count === 1 ? "pair" : "pairs"}`;
  if (truncatedPrompts > 0) {
    addLog({ level: "info", message: `The prompt of ${pairs(truncatedPrompts)} was shortened to fit.` });
  }
  if (answersApart > 0) {
    addLog({
      level: "info",
      message: `An answer of ${pairs(answersApart)} was tokenised apart from its prompt.`,
    });
  }
}

/** Files from the person's disk as the trainer takes them: it reads what it needs of them where they lie. */
export function handOver(files: readonly File[]): LocalFile[] {
  return files.map((file) => ({ name: file.name, bytes: file }));
}

/** True when the trainer holds exactly what a configuration needs, and nothing is on the way to take its place. */
export function isLoaded(config: RunConfig): boolean {
  const { loaded } = useSetupStore.getState();
  return (
    openLoads === 0 &&
    loaded?.backend === config.backend &&
    loaded.model === config.model &&
    loaded.weights === config.baseWeights &&
    loaded.adapters === adaptersKey(config) &&
    loaded.data === dataKey(config)
  );
}

/** Asks about what is loaded; null when that was replaced meanwhile, and then neither the answer nor a refusal is anybody's. */
async function askOfLoaded<Name extends CommandName>(
  name: Name,
  question: Commands[Name]["question"],
  config: RunConfig,
): Promise<Commands[Name]["answer"] | null> {
  try {
    const answer = await callTrainer(name, question);
    return isLoaded(config) ? answer : null;
  } catch (error) {
    if (isLoaded(config)) throw error;
    return null;
  }
}

/** Asks what a run would cost; the answer to an outdated question is dropped. */
export async function refreshPreflight(): Promise<void> {
  const turn = ++preflightTurn;
  const { config } = useSetupStore.getState();
  const hasOwnProblem = setupProblems({ config, preflight: null }).length > 0;
  if (hasOwnProblem || !isLoaded(config)) {
    useSetupStore.setState({ preflight: null });
    return;
  }
  const preflight = await askOfLoaded("preflight", { config }, config);
  if (turn !== preflightTurn || preflight === null) return;
  // Another batch size or another rank has another speed: an old one must not be shown for it.
  useSetupStore.setState({ preflight, secondsPerStep: preflight.secondsPerStep });
}

/** Uses the time before a run: shows what the model writes untouched, then times a few steps. */
export async function warmUp(): Promise<void> {
  await previewAnswers();
  await measureSpeed();
}

/** Shows the untouched model's answers while no run is on the screen. */
async function previewAnswers(): Promise<void> {
  const { config, runningConfig } = useSetupStore.getState();
  if (runningConfig !== null || !isLoaded(config)) return;
  const preview = await askOfLoaded("preview", { config }, config);
  const isRunShown = useSetupStore.getState().runningConfig !== null;
  if (isRunShown || preview === null || preview.samples.length === 0) return;
  useRunStore.setState({ before: { step: 0, ...preview } });
}

/** Times a few steps so that estimates are measured; does nothing during a run or for a setup that cannot be trained. */
async function measureSpeed(): Promise<void> {
  const { config } = useSetupStore.getState();
  const hasProblem = setupProblems(useSetupStore.getState()).length > 0;
  if (isRunActive(useRunStore.getState().phase) || !isLoaded(config) || hasProblem) return;
  const timed = await askOfLoaded("warmUp", { config }, config);
  if (timed === null) return;
  useSetupStore.setState({ secondsPerStep: timed.secondsPerStep });
  await refreshPreflight();
}
