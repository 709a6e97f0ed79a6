/** Faults asked for in the page's address, so that every failure can be reached in a test. */
import { GpuOutOfMemoryError } from "../engine/tensor/errors.ts";
import type { EntryStatistics } from "../engine/training/scoring.ts";
import type { Injection } from "./protocol.ts";

/** Alters what a step measured, or never comes back from it. Each fault strikes once. */
export function createTamper(
  injections: readonly Injection[],
): (step: number, entries: EntryStatistics) => EntryStatistics {
  const armed = new Set(injections);
  return (step, entries) => {
    let altered = entries;
    for (const injection of armed) {
      if (injection.step !== step) continue;
      armed.delete(injection);
      if (injection.kind === "nan") altered = filled(entries, NaN);
      if (injection.kind === "zero") altered = filled(entries, 0);
      if (injection.kind === "oom") throw new GpuOutOfMemoryError("The injected fault took all memory.");
      if (injection.kind === "kill") dieOutsideOfAnyHandler();
      if (injection.kind === "hang") hang();
    }
    return altered;
  };
}

function filled(entries: EntryStatistics, value: number): EntryStatistics {
  return { ...entries, logps: new Float64Array(entries.logps.length).fill(value) };
}

function dieOutsideOfAnyHandler(): void {
  setTimeout(() => {
    throw new Error("stopped by the injected fault");
  });
}

/** Blocks until the page gives the worker up. */
function hang(): never {
  for (;;) {
    // Nothing: that is the fault.
  }
}
