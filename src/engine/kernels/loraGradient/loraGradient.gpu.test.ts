import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { totalRank, type Segment } from "../groupLinear/groupLinear.ts";
import { loraGradientOp, vectorFlags } from "./loraGradient.ts";

interface Shapes {
  readonly rows: number;
  readonly width: number;
  readonly segments: readonly Segment[];
  /** Columns before xa in its rows. */
  readonly xaOffset?: number;
  /** A text with a barrier takes a software GPU a second to compile. */
  readonly ways?: readonly boolean[];
}

async function checkParity({
  rows,
  width,
  segments,
  xaOffset = 1,
  ways = [false, true],
}: Shapes): Promise<void> {
  const ranks = totalRank(segments);
  const columns = segments.reduce((sum, segment) => sum + segment.columns, 0);
  const factors = segments.reduce((sum, segment) => sum + segment.columns * segment.rank, 0);
  const [aOffset, bOffset] = [3, 3 + ranks * width + 2];
  const matrix = (seed: number, shape: number[]) => ({ values: randomValues(seed, shape), shape });
  const inputs = [
    matrix(1, [rows, ranks]),
    matrix(2, [rows, width]),
    matrix(3, [rows, columns]),
    matrix(4, [rows, xaOffset + ranks]),
    matrix(5, [bOffset + factors + 1]),
  ];
  const shared = { segments, aOffset, bOffset, scale: 0.5, xaOffset };
  for (const canSplit of ways) {
    const accumulates = !canSplit;
    await parity(loraGradientOp, {
      name: canSplit ? "shared rows, overwriting" : "one invocation per tile, adding",
      inputs,
      attrs: { ...shared, accumulates, canSplit, ...vectorFlags([rows, width], segments) },
      tolerance: 4e-5,
    });
  }
}

const qkv = (q: number, kv: number, rank: number): Segment[] =>
  [q, kv, kv].map((columns) => ({ columns, rank }));

describe("loraGradient on WebGPU", () => {
  it.each([
    { rows: 1, width: 1, segments: [{ columns: 1, rank: 1 }] },
    { rows: 3, width: 172, segments: qkv(65, 7, 1) },
    { rows: 37, width: 65, segments: qkv(64, 32, 4), xaOffset: 0 },
    { rows: 512, width: 96, segments: qkv(96, 48, 8) },
    {
      rows: 100,
      width: 96,
      segments: [
        { columns: 256, rank: 16 },
        { columns: 256, rank: 16 },
      ],
      ways: [false],
    },
    { rows: 1024, width: 576, segments: [{ columns: 1536, rank: 16 }], xaOffset: 0, ways: [false] },
    { rows: 5, width: 2048, segments: [{ columns: 12, rank: 5 }] },
    { rows: 9, width: 20, segments: [{ columns: 36, rank: 64 }] },
  ])("agrees with the oracle: $rows rows of $width, $segments", checkParity);

  it("leaves out linears without an adapter", async () => {
    const segments = [
      { columns: 8, rank: 0 },
      { columns: 12, rank: 3 },
      { columns: 4, rank: 0 },
      { columns: 8, rank: 6 },
    ];
    await checkParity({ rows: 33, width: 24, segments });
    const odd = [{ columns: 7, rank: 0 }, ...segments];
    await checkParity({ rows: 33, width: 24, segments: odd, ways: [false] });
  });

  it("adds up more than 65,535 rows", async () => {
    await checkParity({ rows: 70_001, width: 4, segments: [{ columns: 3, rank: 1 }] });
  });
});
