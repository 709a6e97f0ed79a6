/** The sparse autoencoders that the page knows of, and which of them is in use. */
import { create } from "zustand";
import type { RunConfig } from "../engine/training/config.ts";
import type { Commands, ModelSummary, SaeSummary } from "../worker/protocol.ts";

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

/** A configuration as a link can tell it: without held features of an autoencoder that the link does not name. */
export function linkedConfig(
  config: RunConfig,
  { inUse, model }: Pick<SaeState, "inUse" | "model">,
): RunConfig {
  const sae = saeInUse({ inUse });
  const isModelsOwn = sae === null || sae.id === model?.sae?.id;
  return isModelsOwn || config.saes.length > 0 ? config : { ...config, heldFeatures: [] };
}
