/** The benchmark inside the browser: `main.mjs` opens a fresh page for every case. */
import { cases, describeAdapter, runCase } from "./cases.ts";

async function readAsset(path: string): Promise<Uint8Array> {
  const response = await fetch(`/${path}`);
  if (!response.ok) throw new Error(`${path} answers ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

Object.assign(globalThis, {
  bench: {
    cases,
    describeAdapter,
    runCase: (name: string, context: { isSoftware: boolean; isAsked: boolean }) =>
      runCase(name, { ...context, readAsset }),
  },
});
