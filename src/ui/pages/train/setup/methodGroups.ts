/** The methods in the order of the page: by group, and within a group as the trainer lists them. */
import type { ObjectiveGroup } from "../../../../engine/losses/objective.ts";
import type { RunConfig } from "../../../../engine/training/config.ts";
import type { ObjectiveCard, Preflight } from "../../../../worker/protocol.ts";
import { formatBytes } from "../../../format.ts";
import { groupTexts, needTexts } from "../../../text.ts";

/** Methods of one kind. */
export interface MethodGroup {
  readonly id: ObjectiveGroup;
  readonly title: string;
  readonly methods: readonly ObjectiveCard[];
}

/** The groups with the methods whose names contain every word of the filter, or else those whose sentences do. */
export function groupMethods(objectives: readonly ObjectiveCard[], filter = ""): MethodGroup[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const isIn = (text: string) => words.every((word) => text.toLowerCase().includes(word));
  const byName = objectives.filter(({ id, label }) => isIn(`${id} ${label}`));
  const bySentence = objectives.filter(({ sentence, group }) => isIn(`${sentence} ${groupTexts[group]}`));
  const found = byName.length > 0 ? byName : bySentence;
  return Object.entries(groupTexts)
    .map(([id, title]) => ({
      id: id as ObjectiveGroup,
      title,
      methods: found.filter(({ group }) => group === id),
    }))
    .filter(({ methods }) => methods.length > 0);
}

const ofReference: readonly ObjectiveCard["needs"][number][] = [
  "referenceLogps",
  "tokenKl",
  "features",
  "mismatchedAnswers",
];

/** What a method needs of the reference and of the data, in words and bytes. */
export function needsInWords(
  { needs }: ObjectiveCard,
  preflight: Pick<Preflight, "referenceBytes"> | null,
  pairs: number,
): { readonly reference: string; readonly data: string | null } {
  const list = (wanted: readonly ObjectiveCard["needs"][number][]) =>
    wanted.map((need) => needTexts[need]).join("; ");
  const own = needs.filter((need) => ofReference.includes(need));
  const others = needs.filter((need) => !ofReference.includes(need));
  const bytes =
    preflight === null || pairs === 0
      ? ""
      : `: ${formatBytes(preflight.referenceBytes / pairs)} a pair, ${formatBytes(preflight.referenceBytes)} in all`;
  return {
    reference: own.length === 0 ? "nothing" : `${list(own)}${bytes}`,
    data: others.length === 0 ? null : list(others),
  };
}

/** Pairs whose reference a run reads: those it trains on, and the held-out ones. */
export function referencePairs(
  { steps, batchPairs, accumulationSteps, evalPairs }: RunConfig,
  data: { readonly trainPairs: number; readonly heldoutPairs: number } | null,
): number {
  if (data === null) return 0;
  const used = Math.min(data.trainPairs, steps * batchPairs * accumulationSteps);
  return used + Math.min(data.heldoutPairs, evalPairs);
}
