import { describe, test } from "vitest";
import { read, run, tensor } from "../../tensor/run.ts";
import { compare, openTestDevice, parity, randomValues } from "../../tensor/testing.ts";
import { attentionOverCachePackedOp, attentionPackedOp } from "./attentionPacked.ts";
import {
  attentionGradientKVOp,
  attentionGradientQOp,
  attentionPreOp,
  type AttentionGradientAttributes,
} from "./attentionPackedBackward.ts";
import { causalRanges, type CausalRanges, type Segment } from "./causalRanges.ts";
import { randomPass, wholePass } from "./packedPass.testing.ts";

interface Case {
  readonly segments: readonly Segment[];
  readonly shape: readonly [heads: number, keyValueHeads: number, headDim: number];
  readonly rotary?: number;
  readonly softCap?: number;
  readonly window?: number;
}

const plain = (...lengths: readonly number[]) => lengths.map((prompt) => ({ prompt, branches: [] }));

const cases: readonly Case[] = [
  { segments: [{ prompt: 40, branches: [13, 30] }], shape: [8, 8, 8] },
  { segments: [{ prompt: 9, branches: [3, 5] }, ...plain(20)], shape: [4, 2, 12], softCap: 2 },
  { segments: plain(65, 64, 1), shape: [16, 2, 16], window: 33 },
  { segments: plain(300), shape: [2, 1, 16], rotary: 8 },
  { segments: plain(37, 3), shape: [16, 8, 64] },
  { segments: [{ prompt: 70, branches: [5, 9] }], shape: [8, 1, 64], softCap: 5, window: 50 },
  { segments: plain(5, 37), shape: [4, 2, 80], rotary: 20 },
  { segments: [{ prompt: 20, branches: [66, 3] }], shape: [1, 1, 128] },
  { segments: plain(33), shape: [8, 1, 128], softCap: 3 },
  { segments: [{ prompt: 3, branches: [17, 2] }], shape: [2, 1, 256], rotary: 64 },
];

/** Runs backward over `pass` on the GPU, from the oracle's arrays, and compares all of `dqkv`. */
async function checkBackward(attributes: AttentionGradientAttributes, ranges: CausalRanges): Promise<void> {
  const pass = randomPass(attributes, ranges);
  const whole = wholePass(pass);
  const { rows } = pass;
  const { heads, keyValueHeads, headDim, rotary } = attributes;
  const [width, packed] = [heads * headDim, (heads + 2 * keyValueHeads) * headDim];
  await openTestDevice("webgpu");
  const numbers = (values: Float64Array, shape: readonly number[]) =>
    tensor(Float32Array.from(values), shape);
  const common = [
    numbers(whole.qkv, [rows, packed]),
    numbers(whole.dOutput, [rows, width]),
    numbers(whole.logSumExp, [rows, heads]),
    numbers(whole.delta, [rows, heads]),
  ];
  const turn = rotary === 0 ? [] : [numbers(pass.table, pass.tableShape), tensor(ranges.positions, [rows])];
  const keyRanges = tensor(ranges.keyRanges, [rows, 2 * ranges.keyRangeCount]);
  const queryRanges = tensor(ranges.queryRanges, [rows, 2 * ranges.queryRangeCount]);
  const poison = tensor(new Float32Array(rows * packed).fill(Number.NaN), [rows, packed]);
  await read(poison);
  poison.dispose();
  const [dqkv] = run(attentionGradientQOp, [...common, keyRanges, ...turn], attributes);
  run(attentionGradientKVOp, [...common, queryRanges, ...turn, dqkv!], attributes);
  const actual = await read(dqkv!);
  for (const [name, from, to] of [
    ["dq", 0, width],
    ["dk", width, width + keyValueHeads * headDim],
    ["dv", width + keyValueHeads * headDim, packed],
  ] as const) {
    const part = (values: ArrayLike<number>) =>
      Float64Array.from({ length: rows * (to - from) }, (_, i) => {
        return values[Math.floor(i / (to - from)) * packed + from + (i % (to - from))]!;
      });
    const tolerance = 4e-5 * Math.sqrt(headDim);
    compare(part(actual), part(whole.dqkv), { label: `${name}, heads of ${headDim}`, tolerance });
  }
  for (const each of [...common, ...turn, keyRanges, queryRanges, dqkv!]) each.dispose();
}

/** Widest heads for which workgroups never share; the others are tried in both layouts. */
const narrow = 16;
const layouts = cases.flatMap((each) =>
  each.shape[2] <= narrow
    ? [{ ...each, canShare: true }]
    : [true, false].map((canShare) => ({ ...each, canShare })),
);

const titleOf = ({ segments, shape, ...rest }: Case) =>
  `packed attention over ${segments.map(({ prompt, branches }) => [prompt, ...branches].join("+")).join(" ")}, heads ${shape.join("/")} ${JSON.stringify(rest)}`;

describe.each(layouts.map((each) => [titleOf(each), each] as const))("%s", (_, each) => {
  const [heads, keyValueHeads, headDim] = each.shape;
  const attributes = {
    heads,
    keyValueHeads,
    headDim,
    scale: headDim ** -0.5,
    rotary: each.rotary ?? headDim,
    canShare: each.canShare,
    ...(each.softCap === undefined ? {} : { softCap: each.softCap }),
  };
  const ranges = causalRanges(each.segments, each.window);
  const rows = ranges.positions.length;

  test("forward", async () => {
    const packed = [rows, (heads + 2 * keyValueHeads) * headDim];
    await parity(attentionPackedOp, {
      name: "forward",
      inputs: [
        { values: randomValues(1, packed), shape: packed },
        { values: ranges.keyRanges, shape: [rows, 2 * ranges.keyRangeCount] },
      ],
      attrs: attributes,
      tolerance: 1e-5 * Math.sqrt(headDim),
    });
  });

  test("backward", async () => {
    await checkBackward(attributes, ranges);
  });
});

test("nothing is turned back without a rotation", async () => {
  const attributes = { heads: 2, keyValueHeads: 1, headDim: 8, scale: 0.3, rotary: 0 };
  await checkBackward(attributes, causalRanges(plain(9)));
  await checkBackward({ ...attributes, headDim: 68 }, causalRanges(plain(9)));
});

test.each([
  { rows: 37, heads: 3, headDim: 12, rank: 5 },
  { rows: 9, heads: 2, headDim: 64, rank: 0 },
  { rows: 70_001, heads: 1, headDim: 4, rank: 1 },
])("attentionPre for $rows rows, $heads heads of $headDim, rank $rank", async (each) => {
  const { rows, heads, headDim, rank } = each;
  const wide = [rows, heads * headDim];
  const adapter = [
    { values: randomValues(2, [rows, rank]), shape: [rows, rank] },
    { values: randomValues(3, [rank * wide[1]! + 9]), shape: [rank * wide[1]! + 9] },
  ];
  await parity(attentionPreOp, {
    name: "pre",
    inputs: [
      { values: randomValues(1, wide), shape: wide },
      ...(rank > 0 ? adapter : []),
      { values: randomValues(4, wide), shape: wide },
    ],
    attrs: { heads, headDim, rank, aOffset: 5 },
    tolerance: 1e-5 * Math.sqrt(headDim),
  });
});

test("more rows than one axis holds", async () => {
  const [rows, headDim] = [66_000, 4];
  // Few rows have keys, so that the emulated GPU is done soon; they lie on both sides of the fold.
  const keyRanges = new Int32Array(rows * 2);
  const queryRanges = new Int32Array(rows * 2);
  for (let row = 0; row < rows; row += 307) {
    keyRanges.set([row, row + 2], row * 2);
    queryRanges.set([row, row + 1, row, row + 1], row * 2);
  }
  const positions = Int32Array.from({ length: rows }, (_, row) => row % 11);
  const ranges = { keyRanges, keyRangeCount: 1, queryRanges, queryRangeCount: 1, positions };
  const attributes = { heads: 1, keyValueHeads: 1, headDim, scale: 0.3, rotary: headDim };
  await checkBackward(attributes, ranges);
});

test.each([
  { live: 3, heads: 4, headDim: 16, filled: [1, 130, 77] },
  { live: 2, heads: 8, headDim: 128, filled: [5, 64] },
])("over a cache: $live rows, $heads heads of $headDim", async ({ live, heads, headDim, filled }) => {
  const capacity = 200;
  const ranges = Int32Array.from({ length: live * 2 }, (_, i) => {
    const sequence = Math.floor(i / 2) % filled.length;
    return sequence * capacity + (i % 2) * filled[sequence]!;
  });
  const packed = [live, 2 * heads * headDim];
  const shared = [filled.length * capacity, (heads / 2) * headDim];
  await parity(attentionOverCachePackedOp, {
    name: "cache",
    inputs: [
      { values: randomValues(5, packed), shape: packed },
      { values: randomValues(6, shared), shape: shared },
      { values: randomValues(7, shared), shape: shared },
      { values: ranges, shape: [live, 2] },
    ],
    attrs: { heads, keyValueHeads: heads / 2, headDim, scale: 0.3 },
    tolerance: 1e-5 * Math.sqrt(headDim),
  });
});
