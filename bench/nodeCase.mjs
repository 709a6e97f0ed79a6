/** One call of the bundle with WebGPU in place; started by `node.mjs`, which it answers and then ends. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create, globals } from "webgpu";

// The runtime asks for these while it is loaded.
Object.assign(globalThis, globals);
const dawnBackend = process.env.PREFSCOPE_DAWN_BACKEND;
Object.defineProperty(globalThis, "navigator", {
  value: {
    gpu: create(dawnBackend ? [`backend=${dawnBackend}`] : []),
    userAgent: "node",
    hardwareConcurrency: 1,
  },
  configurable: true,
});

// jax-js calls helpers of iterators, which Node has from version 22 on.
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
iterators.map ??= function* (change) {
  let index = 0;
  for (const value of this) yield change(value, index++);
};
iterators.filter ??= function* (isKept) {
  let index = 0;
  for (const value of this) if (isKept(value, index++)) yield value;
};
iterators.toArray ??= function () {
  return [...this];
};

const folder = import.meta.dirname;
const readAsset = async (path) => new Uint8Array(await readFile(join(folder, "..", "public", path)));

async function call({ name, args }) {
  const bench = await import("./dist/nodeEntry.mjs");
  const found = bench[name];
  if (typeof found !== "function") return found;
  const [first, context] = args;
  return found(first, context === undefined ? undefined : { ...context, readAsset });
}

/** The device keeps its process alive, so the answer ends it. */
function answer(message) {
  process.send(message, () => process.exit(0));
}

process.once("message", (message) => {
  call(message).then(
    (value) => answer({ value }),
    (error) => answer({ error: String(error?.stack ?? error) }),
  );
});
