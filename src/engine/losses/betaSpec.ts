import type { ParameterSpec } from "./objective.ts";

/** The knob β of objectives on log-ratios, with what differs from one to the next. */
export function betaSpec(changes: Partial<Omit<ParameterSpec, "key">> = {}): ParameterSpec {
  return {
    key: "beta",
    label: "β",
    help: "How strongly the model is held to where it started: small values let it move far.",
    default: 0.5,
    minimum: 0.01,
    maximum: 1,
    scale: "log",
    ...changes,
  };
}
