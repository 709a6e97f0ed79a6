import type { LogEntry } from "../../state/runStore.ts";

/** One line of the log as plain text. */
export function logLine({ time, level, code, message, step }: LogEntry): string {
  const clock = new Date(time).toISOString().slice(11, 19);
  const where = step === null ? "" : ` step ${step}`;
  return `${clock} ${level}${code === null ? "" : ` ${code}`}${where}: ${message}`;
}

/** The whole log as plain text. */
export function logText(log: readonly LogEntry[]): string {
  return log.map((entry) => logLine(entry)).join("\n");
}
