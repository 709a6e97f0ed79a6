/** What the log says about what became of the reference's numbers. */
import type { ReferenceEvent } from "../worker/protocol.ts";
import type { LogEntry } from "./runStore.ts";

/** One line: what happened, why, and what it costs or saves. */
export function referenceLine(event: ReferenceEvent): Pick<LogEntry, "level" | "message" | "code"> {
  const { status, reason, pairs, bytes, ms } = event;
  const values = `Reference values of ${pairs.toLocaleString("en")} ${pairs === 1 ? "pair" : "pairs"}`;
  const sentences: Record<ReferenceEvent["status"], string> = {
    reused: `${values} were reused (${inBytes(bytes)}), which saves ${inSeconds(ms)}.`,
    stale: `${values} were kept for other circumstances: ${reason} changed. They are computed again, which took ${inSeconds(ms)} then.`,
    damaged: reason,
    computed: `${values} were computed in ${inSeconds(ms)}; all of them take ${inBytes(bytes)}.`,
    notKept: `${values} are not kept for the next visit. ${reason}`,
  };
  const isWarning = status === "stale" || status === "damaged" || status === "notKept";
  const code = status === "stale" || status === "damaged" ? "DAT-3" : null;
  return { level: isWarning ? "warning" : "info", code, message: sentences[status] };
}

function inSeconds(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 0.1 ? "less than 0.1 s" : `${seconds.toFixed(1)} s`;
}

function inBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(0.1, bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
