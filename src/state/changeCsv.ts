/** The change report as a file. */
import type { ChangeReport } from "../worker/protocol.ts";
import { nameOf, type FeatureNames } from "./featureNames.ts";

const columns = [
  "feature",
  "name",
  "before",
  "after",
  "change",
  "chosen_change",
  "rejected_change",
  "p_value",
  "is_finding",
] as const;

/** Every feature of the report as a line of comma-separated values, unrounded, in the report's order. */
export function changeCsv(report: ChangeReport, names: FeatureNames): string {
  const lines = report.changes.map((change) =>
    [
      change.feature,
      quoted(nameOf(names, change.feature, change.name)),
      change.before,
      change.after,
      change.after - change.before,
      change.chosenChange,
      change.rejectedChange,
      change.pValue,
      change.isFinding,
    ].join(","),
  );
  return `${[columns.join(","), ...lines].join("\n")}\n`;
}

/** A text in quotes; one that a spreadsheet would take for a formula is marked as text. */
function quoted(text: string): string {
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
