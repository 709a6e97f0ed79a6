import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumArgs } from "./tools/scripts/chromium.mjs";

const fixtures = resolve(import.meta.dirname, process.env["FIXTURES_DIR"] ?? "../shared/fixtures");
const fixturesFolder = existsSync(fixtures) ? fixtures : "";
if (fixturesFolder === "") console.warn(`Fixture tests are skipped: ${fixtures} is not there.`);
/** Models from package registries, which nobody needs but `--project real`. */
const realModelsFolder = process.env["REAL_MODELS_DIR"] ?? "";
const chromium = process.env["CHROMIUM_PATH"];

/** The tensor runtime's split packages hold bare module syntax that Node cannot load, so the bundler must. */
const runtimePackages = [/@tensorflow\/tfjs-backend-(webgpu|cpu)/];
/** Read by `src/engine/testing`; whole trajectories take minutes, so they are asked for by name. */
const provide = {
  fixturesFolder,
  realModelsFolder,
  goldenFolder: resolve(import.meta.dirname, "tools/golden"),
  isWholeTrajectory: process.env["FIXTURES_WHOLE"] === "1",
};

/** The fast lane, and beside it what reads the fixtures. */
const node = {
  provide,
  environment: "node",
  server: { deps: { inline: runtimePackages } },
} as const;

/** A model that was not made here, for `npm run test:real`; absent unless its script names one. */
const real = {
  model: process.env["REAL_MODEL"] ?? "",
  folder: process.env["REAL_FOLDER"] ?? "",
  pairs: process.env["REAL_PAIRS"] ?? "",
};

/** Tests in Chromium, on WebGPU. */
const browser = {
  enabled: true,
  headless: true,
  screenshotFailures: false,
  provider: playwright({
    launchOptions: {
      args: chromiumArgs(),
      ...(chromium === undefined ? {} : { executablePath: chromium }),
    },
  }),
  instances: [{ browser: "chromium" as const }],
};

/** Found late, they would reload the page in the middle of a test. */
const optimizeDeps = {
  include: [
    "@tensorflow/tfjs-core",
    "@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js",
    "@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu.js",
    "@huggingface/hub",
    "fflate",
    "hyparquet",
    "hyparquet-compressors",
    "papaparse",
  ],
};

export default defineConfig({
  test: {
    fileParallelism: false,
    projects: [
      {
        test: {
          ...node,
          name: "node",
          include: ["src/**/*.test.{ts,tsx}", "bench/*.test.{ts,mjs}"],
          exclude: ["src/**/*.gpu.test.ts", "src/**/*.fixture.test.ts", "src/**/*.real.test.ts"],
        },
      },
      { test: { ...node, name: "fixtures", include: ["src/**/*.fixture.test.ts"] } },
      {
        test: {
          ...node,
          name: "real-node",
          include: realModelsFolder === "" ? [] : ["src/engine/**/*.real.test.ts"],
        },
      },
      {
        server: { fs: { allow: [import.meta.dirname, ...(fixturesFolder === "" ? [] : [fixturesFolder])] } },
        optimizeDeps,
        test: {
          name: "webgpu",
          provide,
          include: ["src/**/*.gpu.test.ts"],
          setupFiles: ["src/engine/tensor/testing.setup.ts"],
          testTimeout: 30_000,
          browser,
        },
      },
      {
        server: {
          fs: { allow: [import.meta.dirname, real.folder, dirname(real.model), dirname(real.pairs)] },
        },
        optimizeDeps,
        test: {
          name: "real",
          provide: { ...provide, real },
          include: ["src/worker/**/*.real.test.ts"],
          browser,
        },
      },
    ],
  },
});
