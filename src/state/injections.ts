/** Faults asked for in the address, such as `?inject=nan@90,no-gpu`; without that query nothing is injected. */
import type { Injection } from "../worker/protocol.ts";

/** The faults an address asks for. */
export interface RequestedFaults {
  readonly injections: readonly Injection[];
  /** Pretends that the page was opened over plain http (GPU-1b). */
  readonly isInsecure: boolean;
}

const atStep = ["nan", "zero", "oom", "kill", "hang"] as const;
const atStart = ["no-gpu", "no-adapter"] as const;

/** Reads `location.search`; anything unknown is ignored. */
export function readFaults(search: string): RequestedFaults {
  const words = (new URLSearchParams(search).get("inject") ?? "").split(",").map((word) => word.trim());
  const injections = words.flatMap((word) => readInjection(word));
  const isInsecure = words.includes("insecure");
  // Browsers offer no WebGPU at all on plain http.
  if (isInsecure && !injections.some(({ kind }) => kind === "no-gpu")) {
    injections.push({ kind: "no-gpu", step: 0 });
  }
  return { injections, isInsecure };
}

/** The faults a new trainer still gets after one died: those of the device, not those of a step. */
export function faultsAfterRestart(injections: readonly Injection[]): readonly Injection[] {
  return injections.filter((injection) => (atStart as readonly string[]).includes(injection.kind));
}

function readInjection(word: string): Injection[] {
  const start = atStart.find((kind) => kind === word);
  if (start !== undefined) return [{ kind: start, step: 0 }];
  const [name, stepText = ""] = word.split("@");
  const kind = atStep.find((candidate) => candidate === name);
  if (kind === undefined || !/^\d{1,6}$/.test(stepText)) return [];
  return [{ kind, step: Number(stepText) }];
}
