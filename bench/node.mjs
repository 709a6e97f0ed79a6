/** `npm run bench:node`: every case in a process of its own on the npm package `webgpu`, without a browser. */
import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { projectRoot, runScript } from "../tools/scripts/run.mjs";
import { runCases } from "./cases.mjs";
import { readOptions } from "./options.mjs";

const bundleFolder = join(projectRoot, "bench", "dist");
const casePath = join(projectRoot, "bench", "nodeCase.mjs");

/**
 * Bundles engine and benchmark for Node. The runtime's packages hold bare module syntax that Node cannot load, and a
 * bundle for browsers would miss Node's `util`.
 */
async function bundle() {
  const { build } = await import("vite");
  await build({
    configFile: false,
    root: projectRoot,
    logLevel: "error",
    publicDir: false,
    build: {
      ssr: join(projectRoot, "bench", "nodeEntry.ts"),
      outDir: bundleFolder,
      emptyOutDir: true,
      target: "node20",
      minify: false,
      rolldownOptions: { output: { entryFileNames: "nodeEntry.mjs", chunkFileNames: "[name].mjs" } },
    },
    ssr: { noExternal: true, target: "node" },
  });
}

/** Debian's Chromium brings a Vulkan loader and SwiftShader, a driver for machines without a GPU. */
const chromiumFolder = "/usr/lib/chromium";

/** Where Vulkan finds loader and driver: the caller's word, or SwiftShader unless a real GPU is asked for. */
function driverEnvironment() {
  const { env } = process;
  const settled = { ...env, XDG_RUNTIME_DIR: env.XDG_RUNTIME_DIR ?? tmpdir() };
  const driver = join(chromiumFolder, "vk_swiftshader_icd.json");
  const isChosen = env.VK_DRIVER_FILES !== undefined || env.VK_ICD_FILENAMES !== undefined;
  if (isChosen || env.PREFSCOPE_GPU === "real" || !existsSync(driver)) return settled;
  const libraries = [env.LD_LIBRARY_PATH, chromiumFolder].filter(Boolean).join(delimiter);
  return { ...settled, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: libraries };
}

/** Calls a function of the bundle in a process of its own. */
function inProcess(name, ...args) {
  const child = fork(casePath, { env: driverEnvironment(), stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const result = new Promise((resolve, reject) => {
    child.once("message", ({ value, error }) =>
      error === undefined ? resolve(value) : reject(new Error(error)),
    );
    child.once("exit", (code, signal) => reject(new Error(`the process ended with ${signal ?? code}`)));
  });
  child.send({ name, args });
  return { result, close: () => void child.kill("SIGKILL") };
}

async function once(name) {
  const { result, close } = inProcess(name);
  try {
    return await result;
  } finally {
    close();
  }
}

await runScript(async () => {
  // `--prebuilt` takes the bundle as it is, so that a machine needs no more than it and the package `webgpu`.
  const args = process.argv.slice(2);
  const isPrebuilt = args.includes("--prebuilt");
  // `--allocations` asks for the memory cases on a device that gives out buffers and computes nothing.
  const isAllocating = args.includes("--allocations");
  const rest = args.filter((word) => word !== "--prebuilt" && word !== "--allocations");
  const options = readOptions("bench:node", rest);
  if (isAllocating) {
    process.env.PREFSCOPE_DAWN_BACKEND = "null";
    if (options.only.length === 0) options.only.push("memory: ");
  }
  if (!isPrebuilt) {
    const { ensureInstalled } = await import("../tools/scripts/install.mjs");
    await ensureInstalled();
    await bundle();
  }
  const adapter = await once("describeAdapter");
  console.error(
    `${adapter.vendor}, ${adapter.architecture}, ${adapter.description}: ${adapter.features.join(", ")}`,
  );
  return runCases({
    options,
    backend: `Node ${process.versions.node}${isAllocating ? ", allocations only" : ""}`,
    cases: await once("cases"),
    adapter,
    start: (name, context) => inProcess("runCase", name, { ...context, isAllocating }),
  });
});
