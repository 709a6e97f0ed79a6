/** The change report in one sentence. */
import type { ChangeReport } from "../../../worker/protocol.ts";
import { formatCount } from "../../format.ts";

/** How many features changed more than chance explains, and how that was tested. */
export function reportSentence({ changes, answers, permutations }: ChangeReport): string {
  const findings = changes.filter(({ isFinding }) => isFinding).length;
  const active = `${formatCount(changes.length)} active ${changes.length === 1 ? "feature" : "features"}`;
  // The answers of a pair flip together.
  const test = `5 % false discovery rate, ${formatCount(permutations)} sign flips over ${formatCount(answers / 2)} pairs`;
  const found =
    findings === 0 ? `None of ${active} changed` : `${formatCount(findings)} of ${active} changed`;
  return `${found} more than chance explains (${test}).`;
}
