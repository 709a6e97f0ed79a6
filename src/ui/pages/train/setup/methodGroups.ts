/** The methods in the order of the page: by group, and within a group as the trainer lists them. */
import type { ObjectiveGroup } from "../../../../engine/losses/objective.ts";
import type { ObjectiveCard } from "../../../../worker/description.ts";
import type { Preflight } from "../../../../worker/protocol.ts";
import { formatBytes } from "../../../format.ts";
import { groupTexts, needTexts } from "../../../text.ts";

/** Methods of one kind. */
export interface MethodGroup {
  readonly id: ObjectiveGroup;
  readonly title: string;
  readonly methods: readonly ObjectiveCard[];
}

/** A text as a filter compares it: TDPO-2, TDPO₂ and tdpo2 are the same. */
const folded = (text: string) => text.normalize("NFKC").toLowerCase().replaceAll(/[-_]/g, "");

/** What tells a method when its name does not: its sentence, its paper, its knobs, and other names they give it. */
function wordsOf({ sentence, formula, paper, parameters }: ObjectiveCard): string {
  const knobs = parameters.map(({ label, help, choices = [] }) => [label, help, ...choices].join(" "));
  return [sentence, formula, paper.title, ...knobs].join(" ");
}

/** The methods whose name or group has every word of the filter, or else those of which anything else has. */
export function groupMethods(objectives: readonly ObjectiveCard[], filter = ""): MethodGroup[] {
  const words = folded(filter).split(/\s+/).filter(Boolean);
  const isIn = (text: string) => words.every((word) => folded(text).includes(word));
  const byName = objectives.filter(({ id, label, group }) => isIn(`${id} ${label} ${groupTexts[group]}`));
  const found = byName.length > 0 ? byName : objectives.filter((objective) => isIn(wordsOf(objective)));
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
  preflight: Pick<Preflight, "referenceBytes" | "referenceBytesPerPair"> | null,
): { readonly reference: string; readonly data: string | null } {
  const list = (wanted: readonly ObjectiveCard["needs"][number][]) =>
    wanted.map((need) => needTexts[need]).join("; ");
  const own = needs.filter((need) => ofReference.includes(need));
  const others = needs.filter((need) => !ofReference.includes(need));
  const bytesOf = ({ referenceBytes, referenceBytesPerPair }: NonNullable<typeof preflight>) =>
    referenceBytesPerPair === 0
      ? ": computed in every step"
      : `: ${formatBytes(referenceBytesPerPair)} a training pair, ${formatBytes(referenceBytes)} in all`;
  const bytes = preflight === null ? "" : bytesOf(preflight);
  return {
    reference: own.length === 0 ? "nothing" : `${list(own)}${bytes}`,
    data: others.length === 0 ? null : list(others),
  };
}
