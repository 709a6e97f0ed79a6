import { everyChoice, variant } from "../../tensor/variant.ts";
import { qkNormRopeGradientOp, qkNormRopeOp } from "./qkNormRope.ts";
import { ropeOp } from "./rope.ts";
import { ropePackedOp } from "./ropePacked.ts";

const ROWS = 5;
const heads = { heads: 4, keyValueHeads: 2 };

/** Texts to compile. */
export const variants = everyChoice({ headDim: [8, 64, 256], isPartial: [false, true] }).flatMap(
  ({ headDim, isPartial }) => {
    const rotary = isPartial ? headDim / 2 : headDim;
    const qkv = [ROWS, 8 * headDim];
    const turns = [[32, rotary / 2, 2], [ROWS]];
    const norm = [qkv, [headDim], [headDim], ...turns];
    return [
      ...[true, false].map((isInterleaved) =>
        variant(ropeOp, [[ROWS, 4 * headDim], ...turns], {
          heads: 4,
          headDim,
          rotary,
          isInterleaved,
          direction: -1,
        }),
      ),
      variant(ropePackedOp, [qkv, ...turns], { ...heads, headDim, rotary }),
      ...[true, false].flatMap((canSplit) => {
        const attrs = { ...heads, headDim, rotary, epsilon: 1e-6, canSplit };
        return [variant(qkNormRopeOp, norm, attrs), variant(qkNormRopeGradientOp, [qkv, ...norm], attrs)];
      }),
    ];
  },
);
