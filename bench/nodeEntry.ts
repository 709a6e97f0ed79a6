/** The benchmark for Node: `nodeCase.mjs` loads the bundle of this file once WebGPU is in place. */
export { cases, describeAdapter, runCase } from "./cases.ts";
