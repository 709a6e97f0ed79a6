/** Every case of the benchmark: what is measured, how long it may take, and where it is too heavy. */
import { openDevice } from "../src/engine/tensor/device.ts";
import { measureGeneration } from "./generateCase.ts";
import { kernelCases, leastCalls, measureKernel } from "./kernelCases.ts";
import { measureMethods } from "./methodCase.ts";
import { emptyRow, type Row } from "./row.ts";
import {
  embeddedShape,
  smolShape,
  stepSize,
  toyShape,
  wideShape,
  type ReadAsset,
  type StepShape,
  type StepSize,
} from "./shapes.ts";
import { measureMemory, measureStep, type StepPlan } from "./stepCase.ts";

/** What a case needs to know of where it runs. */
export interface CaseContext {
  readonly readAsset: ReadAsset;
  /** An adapter that computes on the processor. */
  readonly isSoftware: boolean;
  /** Measured although it is heavy, because it was named. */
  readonly isAsked: boolean;
  /** The device gives out buffers and computes nothing: only memory can be measured. */
  readonly isAllocating?: boolean;
}

interface StepCase {
  readonly name: string;
  readonly shape: (context: CaseContext) => Promise<StepShape> | StepShape;
  readonly plan: (context: CaseContext) => StepPlan;
}

/** What a case is called, and how long it may take before it is given up. */
export interface CaseInfo {
  readonly name: string;
  readonly limitSeconds: number;
}

/** The adapter in words. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
  readonly features: readonly string[];
}

const KERNEL_SECONDS = 180;
const STEP_SECONDS = 1800;
const MEMORY_SECONDS = 3600;
const GROWTH_STEPS = 200;
const ROUNDS = 9;
/** What a software GPU does in a second, about; a step or a kernel may take this many seconds there unless it was named. */
const SOFTWARE_FLOPS = 1e9;
const SOFTWARE_SECONDS = 20;

const stepCases: readonly StepCase[] = [
  {
    name: "step: toy",
    shape: toyShape,
    plan: () => ({ growthSteps: GROWTH_STEPS, rounds: ROUNDS }),
  },
  {
    name: "step: embedded model",
    shape: ({ readAsset }) => embeddedShape(readAsset),
    plan: ({ isSoftware }) => ({
      growthSteps: isSoftware ? 10 : GROWTH_STEPS,
      rounds: isSoftware ? 5 : ROUNDS,
    }),
  },
  {
    // The widest step that a software GPU takes in seconds.
    name: "step: 12 layers x 768, few tokens",
    shape: () => wideShape({ count: 1, prompt: 4, answer: 4 }),
    plan: ({ isSoftware }) => ({
      growthSteps: isSoftware ? 2 : GROWTH_STEPS,
      rounds: isSoftware ? 3 : ROUNDS,
    }),
  },
  {
    name: "step: 12 layers x 768",
    shape: () => wideShape({ count: 4, prompt: 128, answer: 128 }),
    plan: ({ isSoftware }) => ({
      growthSteps: isSoftware ? 1 : GROWTH_STEPS,
      rounds: isSoftware ? 1 : ROUNDS,
    }),
  },
  {
    name: "step: SmolLM2-135M",
    shape: () => smolShape({ count: 4, prompt: 128, answer: 128 }),
    plan: ({ isSoftware }) => ({
      growthSteps: isSoftware ? 1 : GROWTH_STEPS,
      rounds: isSoftware ? 1 : ROUNDS,
    }),
  },
];

/** Cheap steps of several methods, so that a median stands on many rounds. */
const methodCases = [
  { name: "step: fpo, toy", shape: toyShape },
  { name: "step: fpo, embedded model", shape: ({ readAsset }: CaseContext) => embeddedShape(readAsset) },
];
const METHOD_ROUNDS = 21;

/** Decoding of 128 tokens with a cache and without. */
const generationCase = "generate: embedded model";
const SOFTWARE_GENERATION_ROUNDS = 3;

/** The layouts whose peak is promised to stay under 1.2 GB. */
const memoryCases = (["f16", "q8"] as const).map((layout) => ({
  name: `memory: SmolLM2-135M, ${layout}`,
  shape: (): StepShape => ({ ...smolShape({ count: 4, prompt: 128, answer: 128 }), layout }),
}));

/** All cases in the order in which they run: quick ones first. */
export const cases: readonly CaseInfo[] = [
  ...kernelCases.map(({ name }) => ({ name, limitSeconds: KERNEL_SECONDS })),
  ...[...methodCases, { name: generationCase }, ...stepCases].map(({ name }) => ({
    name,
    limitSeconds: STEP_SECONDS,
  })),
  ...memoryCases.map(({ name }) => ({ name, limitSeconds: MEMORY_SECONDS })),
];

/** Opens the adapter and says what it is. */
export async function describeAdapter(): Promise<AdapterInfo> {
  const device = await openDevice({ backend: "webgpu" });
  const { vendor, architecture, description, isFallbackAdapter, features } = device.report;
  device.close();
  return { vendor, architecture, description, isFallbackAdapter, features };
}

/** Measures one case, or says why it is skipped. */
export async function runCase(name: string, context: CaseContext): Promise<Row> {
  if (context.isAllocating === true && !memoryCases.some((each) => each.name === name)) {
    return emptyRow(name, "", "nothing is computed, only memory is measured");
  }
  const kernel = kernelCases.find((each) => each.name === name);
  if (kernel !== undefined) {
    const size = { flops: leastCalls * kernel.flops, text: kernel.shape };
    return tooHeavy(size, { name, what: "the case", context }) ?? measureKernel(kernel);
  }
  const memory = memoryCases.find((each) => each.name === name);
  if (memory !== undefined) {
    const shape = memory.shape();
    const row =
      tooHeavy(stepSize(shape), { name, what: "one step", context }) ?? (await measureMemory(shape, context));
    return { ...row, name };
  }
  const methods = methodCases.find((each) => each.name === name);
  if (methods !== undefined) {
    const row = await measureMethods(await methods.shape(context), { rounds: METHOD_ROUNDS });
    return { ...row, name };
  }
  if (name === generationCase) {
    const rounds = context.isSoftware ? SOFTWARE_GENERATION_ROUNDS : ROUNDS;
    return { ...(await measureGeneration(await embeddedShape(context.readAsset), { rounds })), name };
  }
  const found = stepCases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no case "${name}".`);
  const shape = await found.shape(context);
  const row =
    tooHeavy(stepSize(shape), { name, what: "one step", context }) ??
    (await measureStep(shape, found.plan(context)));
  return { ...row, name };
}

/** The row of what a software GPU would take too long for, unless it was asked for by name. */
function tooHeavy(
  { flops, text }: Pick<StepSize, "flops" | "text">,
  { name, what, context }: { name: string; what: string; context: CaseContext },
): Row | null {
  const seconds = flops / SOFTWARE_FLOPS;
  if (!context.isSoftware || context.isAsked || seconds <= SOFTWARE_SECONDS) return null;
  const reason = `${what} is ${(flops / 1e9).toFixed(0)} GFLOP, about ${seconds.toFixed(0)} s for a software GPU`;
  return emptyRow(name, text, `${reason}; --only "${name}" measures it`);
}
