import { everyChoice, variant } from "../../tensor/variant.ts";
import type { Segment } from "../groupLinear/groupLinear.ts";
import { loraGradientOp, vectorFlags } from "./loraGradient.ts";

const groups: readonly (readonly Segment[])[] = [
  [{ columns: 96, rank: 8 }],
  [{ columns: 90, rank: 1 }],
  [
    { columns: 96, rank: 16 },
    { columns: 48, rank: 0 },
    { columns: 48, rank: 4 },
  ],
];
const choices = everyChoice({ segments: groups, width: [96, 90], canSplit: [true, false], xaOffset: [0, 1] });

/** Texts to compile. */
export const variants = choices.map(({ segments, width, canSplit, xaOffset }) => {
  const ranks = segments.reduce((sum, { rank }) => sum + rank, 0);
  const columns = segments.reduce((sum, segment) => sum + segment.columns, 0);
  const x = [5, width];
  return variant(loraGradientOp, [[5, ranks], x, [5, columns], [5, ranks + xaOffset], [10_000]], {
    segments,
    canSplit,
    xaOffset,
    aOffset: 3,
    bOffset: 5000,
    scale: 2,
    accumulates: true,
    ...vectorFlags(x, segments),
  });
});
