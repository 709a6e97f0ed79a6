/** The sparse autoencoders at hand: listed, chosen, opened from files and saved. */
import { create } from "zustand";
import type { Commands, ModelSummary, SaeSummary } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { download } from "./download.ts";
import { edit } from "./editing.ts";
import { changeHeldSae, useHeldStore } from "./heldSet.ts";
import { buffersOf, readFiles } from "./loading.ts";
import { addLog } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";

interface SaeState {
  /** At hand, the one in use first. */
  readonly inUse: readonly SaeSummary[];
  /** Those that come with the studio for this model. */
  readonly embedded: Commands["listSaes"]["answer"]["embedded"];
  /** The loaded model that the list belongs to; null before the first list. */
  readonly model: ModelSummary | null;
  /** What is being read, by name; null when nothing is. */
  readonly opening: string | null;
  /** Why the last one could not be listed or used; null when there is nothing to say. */
  readonly refusal: string | null;
}

/** The autoencoders of the page. */
export const useSaeStore = create<SaeState>(() => ({
  inUse: [],
  embedded: [],
  model: null,
  opening: null,
  refusal: null,
}));

/** The autoencoder in use; null without one. */
export function saeInUse({ inUse }: Pick<SaeState, "inUse">): SaeSummary | null {
  return inUse[0] ?? null;
}

/** Those at hand, the one in use first, and those that the studio can load. */
export function offeredSaes({
  inUse,
  embedded,
}: Pick<SaeState, "inUse" | "embedded">): readonly Pick<SaeSummary, "id" | "label">[] {
  return [...inUse, ...embedded.filter(({ id }) => inUse.every((sae) => sae.id !== id))];
}

/** What tells an autoencoder from others in what the browser keeps: one that is opened or trained again may be another. */
export function saeKey({ id, origin, print }: SaeSummary): string {
  return origin === "embedded" ? id : `${id} ${print}`;
}

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
    const [wanted] = useSetupStore.getState().config.saes;
    if (wanted !== undefined) await chooseSae(wanted);
  } catch (error) {
    if (useSaeStore.getState().model === model) useSaeStore.setState({ refusal: sentenceOf(error) });
  }
}

/** The held set follows the autoencoder in use. */
function adopt(): void {
  const sae = saeInUse(useSaeStore.getState());
  const [wanted = sae?.id] = useSetupStore.getState().config.saes;
  // What a link holds belongs to the autoencoder that it names, which may still be on its way.
  const isOnItsWay = useHeldStore.getState().sae === null && wanted !== sae?.id;
  if (sae !== null && !isOnItsWay) changeHeldSae(saeKey(sae));
}

/** Uses an autoencoder of the list from now on. */
export async function chooseSae(id: string): Promise<void> {
  const { inUse, embedded } = useSaeStore.getState();
  const known = [...inUse, ...embedded].find((sae) => sae.id === id);
  if (known !== undefined && id !== inUse[0]?.id) await load(id, known.label, null);
}

/** Opens an autoencoder's files and uses it; every layout that the trainer reads is fine. */
export async function openSaeFiles(files: readonly File[]): Promise<void> {
  if (files.length > 0) await load("opened", files.map(({ name }) => name).join(", "), files);
}

async function load(id: string, name: string, files: readonly File[] | null): Promise<void> {
  useSaeStore.setState({ opening: name, refusal: null });
  try {
    const contents = files === null ? null : await readFiles(files);
    putInUse(await callTrainer("loadSae", { id, files: contents }, buffersOf(contents)));
  } catch (error) {
    useSaeStore.setState({ refusal: sentenceOf(error) });
  } finally {
    useSaeStore.setState({ opening: null });
  }
}

/** Takes over the autoencoder that the trainer took last, which runs use. */
export function putInUse(sae: SaeSummary): void {
  useSaeStore.setState(({ inUse }) => ({
    inUse: [sae, ...inUse.filter(({ id }) => id !== sae.id)],
    refusal: null,
  }));
  addLog({ level: "info", message: `Using the autoencoder ${sae.label}.` });
  adopt();
  // Runs need no name for the newest, but a link brings along one that comes with the studio.
  const { model, config } = useSetupStore.getState();
  const isShipped = sae.origin === "embedded" && sae.id !== model?.sae?.id;
  const named = isShipped ? [sae.id] : [];
  // Looking at one of several that runs compare leaves the others in.
  const isOneOfSeveral = config.saes.length > 1 && config.saes.includes(sae.id);
  // Even with the same names the cost of a run has to be counted again.
  edit({ saes: isOneOfSeveral ? [...config.saes] : named });
}

/** Saves the files of an autoencoder as SAELens reads them. */
export async function saveSae(sae: string): Promise<void> {
  try {
    const files = await callTrainer("exportSae", { sae });
    for (const { name, bytes } of files) download(name, new Blob([bytes.slice()]));
  } catch (error) {
    useSaeStore.setState({ refusal: sentenceOf(error) });
  }
}
