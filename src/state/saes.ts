/** The sparse autoencoders at hand: listed, chosen, opened from files and saved. */
import type { ModelSummary, SaeSummary } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { downloadFile } from "./download.ts";
import { edit } from "./editing.ts";
import { changeHeldSae } from "./heldSet.ts";
import { handOver } from "./loading.ts";
import { addLog } from "./runStore.ts";
import { saeInUse, saeKey, useSaeStore } from "./saeStore.ts";
import { useSetupStore } from "./setupStore.ts";

/** Lists the autoencoders of every model that is loaded from now on; the answer ends that. */
export function watchSaes(): () => void {
  const look = () => {
    const { model } = useSetupStore.getState();
    if (model === useSaeStore.getState().model) return;
    const inUse = model?.sae ? [model.sae] : [];
    useSaeStore.setState({ model, inUse, embedded: [], refusal: null });
    adopt();
    if (model !== null) void list(model);
  };
  look();
  return useSetupStore.subscribe(look);
}

async function list(model: ModelSummary): Promise<void> {
  try {
    const { atHand, embedded } = await callTrainer("listSaes", null);
    // Another model may have been loaded meanwhile.
    if (useSaeStore.getState().model !== model) return;
    useSaeStore.setState({ inUse: atHand, embedded });
    adopt();
    await takeNamed(useSetupStore.getState().config.saes);
  } catch (error) {
    if (useSaeStore.getState().model === model) useSaeStore.setState({ refusal: sentenceOf(error) });
  }
}

/** Uses the first of these that there is, unless one of them is in use; the setup stays as it is. */
async function takeNamed(names: readonly string[]): Promise<void> {
  const { inUse, embedded } = useSaeStore.getState();
  const wanted = names.find((name) => [...inUse, ...embedded].some(({ id }) => id === name));
  if (wanted === undefined || names.includes(inUse[0]?.id ?? "")) return;
  const sae = await find(wanted);
  if (sae !== null) takeUp(sae, useSetupStore.getState().config.saes);
}

/** After a link was taken over: uses what it names, or else what comes with the model; its held features are of that. */
export async function followLink(): Promise<void> {
  const { config, model, loaded } = useSetupStore.getState();
  // A model or a device that is still to be loaded brings its own list.
  const isAtHand = loaded?.model === config.model && loaded.backend === config.backend;
  const own = isAtHand && model?.sae ? [model.sae.id] : [];
  const named = config.saes.length > 0 ? config.saes : own;
  if (named.length > 0) changeHeldSae(named.join("+"));
  if (isAtHand) await takeNamed(named);
}

/** The held set follows the autoencoder that it is numbered by: the one in use, unless the setup names others. */
function adopt(): void {
  const sae = saeInUse(useSaeStore.getState());
  const { saes } = useSetupStore.getState().config;
  const [wanted = sae?.id] = saes;
  const isInUse = saes.length < 2 && wanted === sae?.id;
  if (!isInUse) changeHeldSae(saes.join("+"));
  else if (sae !== null) changeHeldSae(saeKey(sae));
}

/** Uses an autoencoder of the list from now on. */
export async function chooseSae(id: string): Promise<void> {
  const sae = await find(id);
  if (sae !== null) putInUse(sae);
}

/** Compares the features of these autoencoders in the next run, and uses one of them. */
export async function compareSaes(ids: readonly string[]): Promise<void> {
  const present = useSaeStore.getState().inUse[0]?.id ?? "";
  const sae = await find(ids.includes(present) ? present : (ids[0] ?? ""));
  if (sae !== null) takeUp(sae, ids.length > 1 ? ids : namesOf(sae));
}

/** Opens an autoencoder's files and uses it; every layout that the trainer reads is fine. */
export async function openSaeFiles(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const sae = await load("opened", files.map(({ name }) => name).join(", "), files);
  if (sae !== null) putInUse(sae);
}

/** The one of this name, loaded unless it is in use; null where there is none or it could not be loaded. */
async function find(id: string): Promise<SaeSummary | null> {
  const { inUse, embedded } = useSaeStore.getState();
  if (inUse[0]?.id === id) return inUse[0];
  const known = [...inUse, ...embedded].find((sae) => sae.id === id);
  return known === undefined ? null : load(id, known.label, null);
}

async function load(id: string, name: string, files: readonly File[] | null): Promise<SaeSummary | null> {
  useSaeStore.setState({ opening: name, refusal: null });
  try {
    const contents = files === null ? null : handOver(files);
    return await callTrainer("loadSae", { id, files: contents });
  } catch (error) {
    useSaeStore.setState({ refusal: sentenceOf(error) });
    return null;
  } finally {
    useSaeStore.setState({ opening: null });
  }
}

/** Takes over the autoencoder that the trainer took last, which runs use unless the setup names others. */
export function putInUse(sae: SaeSummary): void {
  const { saes } = useSetupStore.getState().config;
  takeUp(sae, saes.includes(sae.id) ? saes : namesOf(sae));
}

/** Runs need no name for the newest, but a link brings along one that comes with the studio. */
function namesOf(sae: SaeSummary): readonly string[] {
  const isShipped = sae.origin === "embedded" && sae.id !== useSetupStore.getState().model?.sae?.id;
  return isShipped ? [sae.id] : [];
}

function takeUp(sae: SaeSummary, saes: readonly string[]): void {
  const { inUse } = useSaeStore.getState();
  if (inUse[0] !== sae) addLog({ level: "info", message: `Using the autoencoder ${sae.label}.` });
  useSaeStore.setState({ inUse: [sae, ...inUse.filter(({ id }) => id !== sae.id)], refusal: null });
  // Even with the same names the cost of a run has to be counted again.
  edit({ saes: [...saes] });
  adopt();
}

/** Saves the files of an autoencoder as SAELens reads them. */
export async function saveSae(sae: string): Promise<void> {
  try {
    const files = await callTrainer("exportSae", { sae });
    for (const file of files) downloadFile(file);
  } catch (error) {
    useSaeStore.setState({ refusal: sentenceOf(error) });
  }
}
