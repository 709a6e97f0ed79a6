/** Heads of many tokens and of many rows on WebGPU against the same on the cpu backend, through the calls that training makes. */
import { describe, expect, it } from "vitest";
import type { Values } from "../../tensor/op.ts";
import { dispose, read, tensor } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { HeadInputs } from "./headInputs.ts";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  lmHeadWeightGradient,
  statisticColumn,
  statisticsWidth,
} from "./lmHeadLogProbs.ts";

type Column = keyof typeof statisticColumn;

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly hasReference: boolean;
  readonly softCap?: number;
}

const TOLERANCE = 1e-5;
const GRADIENT_TOLERANCE = 1e-4;
/** Logits that one token does not decide. */
const LOGIT_SPREAD = 2;

/** The head on the active device; the last row but one is not scored. */
function headOf({ rows, width, vocabulary, hasReference, softCap = 0 }: Case) {
  const states = (seed: number) =>
    tensor(randomValues(seed, [rows, width], LOGIT_SPREAD / Math.sqrt(width)), [rows, width]);
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 31 + vocabulary - 1) % vocabulary);
  labels[rows - 2] = -1;
  const tensors = {
    hidden: states(1),
    weight: tensor(randomValues(3, [vocabulary, width]), [vocabulary, width]),
    labels: tensor(labels, [rows]),
    ...(hasReference ? { reference: states(2) } : {}),
  };
  return { head: { ...tensors, softCap }, tensors: Object.values(tensors) };
}

/** What is asked of a head beside its statistics. */
interface Asked {
  /** Columns, each of which alone has a gradient that it passes to the hidden states. */
  readonly columns: readonly Column[];
  /** Whether all columns together pass a gradient to the weight. */
  readonly hasWeightGradient: boolean;
}

/** Everything that is asked, by its name. */
async function resultsOf(head: HeadInputs, { columns, hasWeightGradient }: Asked) {
  const results = new Map<string, Values>();
  const statistics = lmHeadLogProbs(head);
  const values = Float32Array.from(await read(statistics));
  for (const [name, column] of Object.entries(statisticColumn)) {
    results.set(
      name,
      values.filter((_, at) => at % statisticsWidth === column),
    );
  }
  const random = randomValues(4, statistics.shape);
  for (const name of columns) {
    const own = random.map((value, at) => (at % statisticsWidth === statisticColumn[name] ? value : 0));
    const upstream = tensor(own, statistics.shape);
    const gradient = lmHeadHiddenGradient(head, statistics, upstream);
    results.set(`hidden gradient of ${name}`, await read(gradient));
    dispose([upstream, gradient]);
  }
  if (hasWeightGradient) {
    const upstream = tensor(random, statistics.shape);
    const gradient = lmHeadWeightGradient(head, statistics, upstream);
    results.set("weight gradient", await read(gradient));
    dispose([upstream, gradient]);
  }
  dispose(statistics);
  return results;
}

function expectSame(actual: Map<string, Values>, expected: Map<string, Values>, label: string): void {
  for (const [name, values] of expected) {
    const named = `${label}: ${name}`;
    const found = actual.get(name);
    if (name.includes("gradient")) {
      compare(found ?? new Float32Array(), values, { label: named, tolerance: GRADIENT_TOLERANCE });
      continue;
    }
    // A last value of 1 keeps the tolerance meaningful where a statistic is near 0 everywhere.
    const [ours, theirs] = [Float64Array.from([...(found ?? []), 1]), Float64Array.from([...values, 1])];
    compare(ours, theirs, { label: named, tolerance: TOLERANCE });
  }
}

/** Compares a head on WebGPU, all at once or in parts, with the cpu's in one piece; once for each that is asked. */
async function expectParity(
  testCase: Case,
  asked: readonly (Asked & { readonly entriesAtOnce?: number })[],
): Promise<void> {
  for (const { entriesAtOnce, ...each } of asked) {
    await openTestDevice("cpu");
    const oracle = headOf(testCase);
    const expected = await resultsOf(oracle.head, each);
    dispose(oracle.tensors);
    const device = await openTestDevice("webgpu");
    const { head, tensors } = headOf(testCase);
    const before = device.counters().dispatches;
    const actual = await resultsOf(entriesAtOnce === undefined ? head : { ...head, entriesAtOnce }, each);
    dispose(tensors);
    const parts = Math.ceil(testCase.vocabulary / (entriesAtOnce ?? testCase.vocabulary));
    // Parts have a dispatch more, which finishes the statistics.
    const gradients = parts * (each.columns.length + (each.hasWeightGradient ? 1 : 0));
    expect(device.counters().dispatches - before).toBe((parts === 1 ? 1 : parts + 1) + gradients);
    expectSame(actual, expected, `${entriesAtOnce ?? "all"} entries at once`);
  }
}

// Every workgroup takes its time on a software GPU, so the gradient of the weight, which has thousands, comes once.
describe("a head on WebGPU", () => {
  const columns = ["logp", "kl", "reverseDivergence"] as const;

  it(
    "has the cpu's statistics and gradients over 50,001 tokens beside a reference",
    { timeout: 120_000 },
    () =>
      expectParity({ rows: 5, width: 8, vocabulary: 50_001, hasReference: true }, [
        { columns, hasWeightGradient: false },
        { columns, hasWeightGradient: true, entriesAtOnce: 20_000 },
      ]),
  );

  it("has them in rows of odd length with bounded logits", { timeout: 120_000 }, () =>
    expectParity({ rows: 3, width: 13, vocabulary: 50_001, hasReference: true, softCap: 6 }, [
      { columns: ["kl"], hasWeightGradient: false, entriesAtOnce: 30_000 },
    ]),
  );

  it("covers more than 65,535 rows", { timeout: 120_000 }, () =>
    expectParity({ rows: 65_539, width: 4, vocabulary: 16, hasReference: false }, [
      { columns: ["logp"], hasWeightGradient: false },
    ]),
  );
});
