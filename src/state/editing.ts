/** Changes to the setup. A live setting reaches the running run at once; any other waits for the next one. */
import type { RunConfig } from "../engine/training/config.ts";
import { callTrainer } from "./connection.ts";
import { isLiveField, type LiveField } from "./configChanges.ts";
import { defaultParams, formatLink, linkBase, objectiveFor, secondPrefix, unchangedData } from "./link.ts";
import { ensureLoaded, isLoaded, warmUp, refreshPreflight } from "./loading.ts";
import { raiseError } from "./messageStore.ts";
import { addressOf, usePlaceStore } from "./place.ts";
import { addLog, addMark, isRunActive, useRunStore } from "./runStore.ts";
import { linkedConfig, useSaeStore } from "./saeStore.ts";
import { setupProblems, useSetupStore } from "./setupStore.ts";

/** Long enough for a slider to come to rest. */
const settleMs = 200;
let settleTimer: ReturnType<typeof setTimeout> | undefined;

/** Settings that name parts of one model, as another begins with them. */
export const ofOneModel: Pick<RunConfig, "saes" | "heldFeatures" | "adapters"> = {
  saes: [],
  heldFeatures: [],
  adapters: [],
};

/** Changes settings of the configuration; another model begins without named autoencoders, held features and adapters. */
export function edit(patch: Partial<RunConfig>): void {
  const previous = useSetupStore.getState().config;
  const isOtherModel = patch.model !== undefined && patch.model !== previous.model;
  useSetupStore.setState({ config: { ...previous, ...(isOtherModel ? ofOneModel : {}), ...patch } });
  clearTimeout(settleTimer);
  settleTimer = setTimeout(settle, settleMs);
}

/** Changes one knob of the present methods. */
export function editParam(key: string, value: number): void {
  edit({ params: { ...useSetupStore.getState().config.params, [key]: value } });
}

/** Takes another method, with that method's own knobs at their defaults; what is mixed in stays, unless it is the same. */
export function chooseMethod(method: string): void {
  const { description, presetId, config } = useSetupStore.getState();
  if (description === null) return;
  const secondMethod = config.secondMethod === method ? "" : config.secondMethod;
  const { params } = linkBase(presetId, { method, secondMethod }, description);
  const kept = Object.entries(config.params).filter(([key]) => key.startsWith(secondPrefix) && key in params);
  edit({ method, secondMethod, params: { ...params, ...Object.fromEntries(kept) } });
}

/** Mixes in another method, with its knobs at their defaults; an empty name mixes none in. */
export function chooseSecondMethod(secondMethod: string): void {
  const { description, presetId, config } = useSetupStore.getState();
  if (description === null) return;
  const { params } = linkBase(presetId, { method: config.method, secondMethod }, description);
  const own = Object.entries(config.params).filter(([key]) => !key.startsWith(secondPrefix));
  edit({ secondMethod, params: { ...params, ...Object.fromEntries(own) } });
}

/** Starts over from a preset. */
export function choosePreset(presetId: string): void {
  const preset = useSetupStore.getState().description?.presets.find(({ id }) => id === presetId);
  if (preset === undefined) return;
  useSetupStore.setState({ presetId });
  edit({ ...preset.config, params: { ...preset.config.params } });
}

/** Takes another preference set, read as it stands, or another objective of the same. */
export function chooseData(data: string, wanted: string): void {
  const { description, config } = useSetupStore.getState();
  if (description === null) return;
  const objective = objectiveFor(data, wanted, description);
  const isOther = data !== config.data || objective !== config.objective;
  // Columns and changes belong to one set, and revised answers to what they were revised for.
  edit({ data, objective, ...(isOther ? unchangedData : {}) });
}

/** The value a setting is reset to: the preset's, or the method's own default for its knobs. */
export function defaultOf(field: string): unknown {
  const { description, presetId, config } = useSetupStore.getState();
  if (description === null) return undefined;
  const base = linkBase(presetId, config, description);
  if (!field.startsWith("params.")) return base[field as keyof RunConfig];
  const key = field.slice("params.".length);
  return base.params[key] ?? defaultParams(config, description)[key];
}

/** Applies edits that came to rest: the address, the running run, the loaded parts and the cost. */
export function settle(): void {
  writeAddress();
  applyLive();
  refreshSetup().catch(raiseError);
}

/** Puts the place and the present configuration into the address; one that cannot be trained leaves the settings there as they are. */
export function writeAddress(kind: "replace" | "push" = "replace"): void {
  const { config, presetId, description } = useSetupStore.getState();
  if (description === null) return;
  const isSound = setupProblems({ config, preflight: null }).length === 0;
  const settings = isSound
    ? formatLink(linkedConfig(config, useSaeStore.getState()), presetId, description)
    : location.hash;
  const link = addressOf(usePlaceStore.getState(), settings);
  if (link === location.hash) return;
  if (kind === "push") window.history.pushState(visit, "", link);
  else window.history.replaceState(visit, "", link);
}

/** Marks the entries of the browser's history that the page wrote since it took a link over. */
let visit = { visit: Date.now() };

/** From now on entries belong to another link. */
export function beginVisit(): void {
  visit = { visit: visit.visit + 1 };
}

/** Whether the page wrote an entry since it took the present link over: going back to it changes the place alone. */
export function isOwnEntry(state: unknown): boolean {
  return typeof state === "object" && state !== null && "visit" in state && state.visit === visit.visit;
}

/** Loads what the configuration needs, unless that would disturb a run that is still on the screen. */
async function refreshSetup(): Promise<void> {
  const { config, runningConfig } = useSetupStore.getState();
  const isIdle = runningConfig === null && !isRunActive(useRunStore.getState().phase);
  const canLoad = isIdle && setupProblems({ config, preflight: null }).length === 0;
  if (canLoad && !isLoaded(config)) await ensureLoaded(config);
  await refreshPreflight();
  if (isIdle && useSetupStore.getState().secondsPerStep === null) await warmUp();
}

/** Hands live settings to the running run and marks the step at which they changed. */
function applyLive(): void {
  const { config, runningConfig } = useSetupStore.getState();
  const { phase, step } = useRunStore.getState();
  if (
    runningConfig === null ||
    !isRunActive(phase) ||
    setupProblems({ config, preflight: null }).length > 0
  ) {
    return;
  }
  const changed = (Object.keys(config) as (keyof RunConfig)[])
    .filter((field): field is LiveField => isLiveField(field))
    .filter((field) => config[field] !== runningConfig[field]);
  if (changed.length === 0) return;
  const live = Object.fromEntries(changed.map((field) => [field, config[field]]));
  useSetupStore.setState({ runningConfig: { ...runningConfig, ...live } });
  for (const field of changed) {
    const name = field === "learningRate" ? "Learning rate" : "Evaluation interval";
    addLog({ level: "info", message: `${name} ${runningConfig[field]} → ${config[field]}.`, step });
    addMark({ step, label: `${name} ${config[field]}` });
  }
  callTrainer("setLive", live).catch(raiseError);
}
