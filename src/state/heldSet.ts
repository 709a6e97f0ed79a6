/**
 * The features that FPO holds still. The set in force is part of the configuration; a set always belongs to one
 * autoencoder, and is put aside when another is used.
 */
import { create } from "zustand";
import type { RunConfig } from "../engine/training/config.ts";
import type { ChangeReport } from "../worker/protocol.ts";
import { chooseMethod, edit } from "./editing.ts";
import { goTo } from "./navigation.ts";
import { readKept, writeKept } from "./keptOnPage.ts";
import { useSetupStore } from "./setupStore.ts";

/** Value of FPO's knob `featureMode` that holds a list of features. */
export const heldMode = 2;

/** A set that was saved under a name. */
export interface SavedSet {
  readonly name: string;
  readonly sae: string;
  readonly features: readonly number[];
}

interface HeldState {
  /** Autoencoder that the set in force belongs to, or several joined by "+"; null before one was used. */
  readonly sae: string | null;
  /** Sets of other autoencoders, put aside. */
  readonly aside: Readonly<Record<string, readonly number[]>>;
  readonly saved: readonly SavedSet[];
}

const savedKey = "prefscope.held-sets";

/** Whom the held set belongs to, and the sets beside it. */
export const useHeldStore = create<HeldState>(() => ({
  sae: null,
  aside: {},
  saved: readKept<readonly SavedSet[]>(savedKey, isSavedList) ?? [],
}));

function isSavedList(value: unknown): value is readonly SavedSet[] {
  return Array.isArray(value) && value.every(isSaved);
}

function isSaved(value: unknown): boolean {
  const { name, sae, features } = (value ?? {}) as Partial<SavedSet>;
  return typeof name === "string" && typeof sae === "string" && Array.isArray(features);
}

/** The set in force. */
export function heldFeatures(): readonly number[] {
  return useSetupStore.getState().config.heldFeatures;
}

/** Puts the set of another autoencoder aside, and takes up the one that was put aside for this. */
export function changeHeldSae(sae: string): void {
  if (useHeldStore.getState().sae === sae) return;
  // What a link holds belongs to the autoencoder that is used first.
  const isFromLink = useHeldStore.getState().sae === null;
  putHeldAside();
  const { [sae]: taken = [], ...others } = useHeldStore.getState().aside;
  useHeldStore.setState({ sae, aside: others });
  if (!isFromLink) hold(taken);
}

/** Puts the set in force aside, before another that belongs to nobody yet takes its place. */
export function putHeldAside(): void {
  const { sae, aside } = useHeldStore.getState();
  const held = heldFeatures();
  if (sae === null) return;
  useHeldStore.setState({ sae: null, aside: held.length === 0 ? aside : { ...aside, [sae]: held } });
}

/** Why features of the autoencoder in use cannot be held, in a sentence; null where they can. */
export function whyNotHeld({ saes }: Pick<RunConfig, "saes">): string | null {
  if (saes.length < 2) return null;
  return `The setup compares ${saes.length} autoencoders at once: compare one alone to hold its features.`;
}

/** Whether a feature of the autoencoder in use is held still. */
export function isHeldStill(config: Pick<RunConfig, "saes" | "heldFeatures">, feature: number): boolean {
  return whyNotHeld(config) === null && config.heldFeatures.includes(feature);
}

/** Replaces the set in force. */
export function hold(features: readonly number[]): void {
  const sorted = [...new Set(features)].sort((left, right) => left - right);
  if (sorted.join() !== heldFeatures().join()) edit({ heldFeatures: sorted });
}

/** Holds a feature still, or lets it go; its number is the run's. */
export function toggleHeld(feature: number): void {
  const held = heldFeatures();
  hold(held.includes(feature) ? held.filter((other) => other !== feature) : [...held, feature]);
}

/** Keeps the set in force under a name, in the place of another of that name and autoencoder. */
export function saveHeld(name: string): void {
  const { sae, saved } = useHeldStore.getState();
  if (sae === null || name.trim() === "") return;
  const set = { name: name.trim(), sae, features: heldFeatures() };
  keep([...saved.filter((other) => other.name !== set.name || other.sae !== sae), set]);
}

/** Takes a saved set into force; a set of another autoencoder stays where it is. */
export function loadHeld(set: SavedSet): void {
  if (set.sae === useHeldStore.getState().sae) hold(set.features);
}

/** Drops a saved set. */
export function dropSaved(set: SavedSet): void {
  keep(useHeldStore.getState().saved.filter((other) => other !== set));
}

function keep(saved: readonly SavedSet[]): void {
  useHeldStore.setState({ saved });
  writeKept(savedKey, saved);
}

/** Sets the next run up as FPO that holds the set, and shows it on the Train screen. */
export function trainHolding(): void {
  if (useSetupStore.getState().config.method !== "fpo") chooseMethod("fpo");
  const { config } = useSetupStore.getState();
  edit({ params: { ...config.params, featureMode: heldMode } });
  goTo({ screen: "train" });
}

/** Share of the squared change of all features that some of them carry; null where nothing changed. */
export function shareOfChange(report: ChangeReport, features: readonly number[]): number | null {
  const squares = report.changes.map(({ before, after }) => (after - before) ** 2);
  const total = squares.reduce((sum, square) => sum + square, 0);
  if (total === 0) return null;
  const wanted = new Set(features);
  const held = report.changes.reduce(
    (sum, { feature }, index) => sum + (wanted.has(feature) ? (squares[index] ?? 0) : 0),
    0,
  );
  return held / total;
}
