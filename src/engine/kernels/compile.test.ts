/** Compiles every shader text on a device that does nothing, with the limits that every real device has. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accumulateOp } from "../tensor/accumulate.ts";
import { ErrorLog } from "../tensor/errors.ts";
import { ErrorScopes } from "../tensor/errorScopes.ts";
import type { Op } from "../tensor/op.ts";
import { PipelineCache } from "../tensor/pipelines.ts";
import { variant } from "../tensor/variant.ts";
import type { Variant } from "../tensor/variant.ts";

type Modules = Record<string, Record<string, unknown>>;

const files: Modules = import.meta.glob(
  ["./*/*.ts", "!./*/*.test.ts", "!./*/*.testing.ts", "!./*/*.variants.ts"],
  { eager: true },
);
const listed: Record<string, { readonly variants: readonly Variant[] }> = import.meta.glob(
  "./*/*.variants.ts",
  { eager: true },
);
const variants = [
  ...Object.values(listed).flatMap((each) => each.variants),
  variant(accumulateOp, [[9], [9]], {}),
];
const WORKGROUP_BYTES = 16_384;
/** Compiling takes some milliseconds for each of more than a thousand texts. */
const PATIENCE = { timeout: 120_000 };

/** Held, because the package frees what nothing refers to, with all that was made of it. */
let gpu: GPU;
const devices: GPUDevice[] = [];
beforeAll(async () => {
  const { create, globals } = await import("webgpu").catch((cause: unknown) => {
    // A check that is skipped would prove nothing.
    throw new Error("no shader was checked, because the binary of the package webgpu does not load here", {
      cause,
    });
  });
  Object.assign(globalThis, globals);
  gpu = create(["backend=null"]);
});
afterAll(() => {
  for (const device of devices) device.destroy();
});

async function openCache(features: readonly GPUFeatureName[]): Promise<PipelineCache> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("the package webgpu offers no adapter without a backend");
  const device = await adapter.requestDevice({ requiredFeatures: [...features] });
  devices.push(device);
  expect(device.limits.maxComputeWorkgroupStorageSize).toBe(WORKGROUP_BYTES);
  return new PipelineCache(device, new ErrorScopes(device, new ErrorLog()));
}

function isOp(value: unknown): value is Op {
  return typeof value === "object" && value !== null && "outputShapes" in value && "dispatch" in value;
}

function isHalf({ shader }: Variant): boolean {
  return shader().wgsl.startsWith("enable f16;");
}

/** Messages of the texts that do not compile. */
async function refused(cache: PipelineCache, texts: readonly Variant[]): Promise<string[]> {
  const messages: string[] = [];
  for (const { operation, attrs, shader } of texts) {
    try {
      await cache.warm(shader());
    } catch (cause) {
      messages.push(`${operation} ${JSON.stringify(attrs)}: ${(cause as Error).message}`);
    }
  }
  return messages;
}

describe("the shader texts", () => {
  it("are listed for every operation, in its own folder", () => {
    for (const [path, module] of Object.entries(files)) {
      const folder = path.split("/")[1] ?? "";
      const inFolder = Object.entries(listed).filter(([each]) => each.split("/")[1] === folder);
      const operations = new Set(
        inFolder.flatMap(([, each]) => each.variants.map(({ operation }) => operation)),
      );
      const missing = Object.values(module)
        .filter(isOp)
        .filter(({ name }) => !operations.has(name));
      expect(missing.map(({ name }) => `${folder}/*.variants.ts: ${name}`)).toEqual([]);
    }
    expect(new Set(variants.map((each) => each.shader().wgsl)).size).toBeGreaterThan(500);
  });

  it("compile where shaders have 32-bit floats only", PATIENCE, async () => {
    const cache = await openCache([]);
    expect(
      await refused(
        cache,
        variants.filter((each) => !isHalf(each)),
      ),
    ).toEqual([]);
  });

  it("compile where shaders have 16-bit floats", PATIENCE, async () => {
    const cache = await openCache(["shader-f16"]);
    const half = variants.filter(isHalf);
    expect(half.length).toBeGreaterThan(0);
    expect(await refused(cache, half)).toEqual([]);
  });

  it("would be refused if they were wrong", async () => {
    const cache = await openCache([]);
    const [first] = variants.filter(isHalf);
    const [sum] = variants.filter(({ operation }) => operation === accumulateOp.name);
    const tooLarge = "var<workgroup> memory: array<f32, 4097>;\n@compute";
    const wrong = (change: (text: string) => string) => ({
      ...sum!,
      shader: () => ({ ...sum!.shader(), wgsl: change(sum!.shader().wgsl) }),
    });
    const texts = [
      first!,
      wrong((text) => text.replace("y[i]", "x[i]")),
      wrong((text) => text.replace("@compute", tooLarge).replace("let i", "memory[0] = 1.0; let i")),
    ];
    expect(await refused(cache, texts)).toHaveLength(texts.length);
  });
});
