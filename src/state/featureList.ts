/** The list of features: what a search finds, and in which order. */
import type { ChangeReport, FeatureTable } from "../worker/protocol.ts";
import { nameOf, type FeatureNames } from "./featureNames.ts";

/** Orders of the list. */
export const featureOrders = ["max", "density", "change", "number"] as const;

/** An order of the list. */
export type FeatureOrder = (typeof featureOrders)[number];

/** What is looked for. */
export interface FeatureQuery {
  /** Part of a name, or a number. */
  readonly text: string;
  readonly order: FeatureOrder;
  /** Only features that are stronger on chosen answers than on rejected ones. */
  readonly favoursChosen: boolean;
  /** Features that were active nowhere, too. */
  readonly withSilent: boolean;
}

/** What the list is made from. */
export interface ListSources {
  readonly table: FeatureTable;
  readonly names: FeatureNames;
  /** Change of each feature by its number; empty before a run. */
  readonly changes: ReadonlyMap<number, number>;
}

/** Numbers of the features that a query finds, in its order; a feature asked for by its number comes first, silent or not. */
export function findFeatures({ table, names, changes }: ListSources, query: FeatureQuery): number[] {
  const text = query.text.trim().toLowerCase();
  const asked = /^#?\d+$/.test(text) ? Number(text.replace("#", "")) : null;
  const found: number[] = [];
  for (let feature = 0; feature < table.density.length; feature += 1) {
    if (feature === asked) continue;
    if (!query.withSilent && at(table.density, feature) === 0) continue;
    if (query.favoursChosen && at(table.chosenMean, feature) <= at(table.rejectedMean, feature)) continue;
    const name = nameOf(names, feature, table.names[feature]).toLowerCase();
    if (text === "" || name.includes(text)) found.push(feature);
  }
  const weights: Record<FeatureOrder, (feature: number) => number> = {
    max: (feature) => at(table.max, feature),
    density: (feature) => at(table.density, feature),
    change: (feature) => Math.abs(changes.get(feature) ?? 0),
    number: (feature) => -feature,
  };
  const weight = weights[query.order];
  found.sort((left, right) => weight(right) - weight(left) || left - right);
  return asked !== null && asked < table.density.length ? [asked, ...found] : found;
}

/** Changes of a report by feature. */
export function changesByFeature(report: ChangeReport | null): ReadonlyMap<number, number> {
  return new Map(report?.changes.map(({ feature, before, after }) => [feature, after - before]));
}

function at(values: Float32Array, index: number): number {
  return values[index] ?? 0;
}
