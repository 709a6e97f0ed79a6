import { everyChoice, variant } from "../../tensor/variant.ts";
import { attentionOp, attentionOverCacheOp } from "./attention.ts";
import { attentionDeltaOp, attentionDkOp, attentionDqOp, attentionDvOp } from "./attentionBackward.ts";
import { attentionOverCachePackedOp, attentionPackedOp } from "./attentionPacked.ts";
import { attentionGradientKVOp, attentionGradientQOp, attentionPreOp } from "./attentionPackedBackward.ts";

const ROWS = 5;
const [HEADS, KEY_VALUE_HEADS] = [4, 2];

const choices = everyChoice({
  headDim: [4, 8, 64, 80, 128, 256],
  canShare: [true, false],
  softCap: [undefined, 50],
  ranges: [1, 2],
  rotary: ["none", "half", "whole"] as const,
});

/** Texts to compile. */
export const variants = choices.flatMap(({ headDim, canShare, softCap, ranges, rotary }) => {
  const turned = { none: 0, half: headDim / 2, whole: headDim }[rotary];
  const attrs = {
    heads: HEADS,
    keyValueHeads: KEY_VALUE_HEADS,
    headDim,
    scale: 0.25,
    canShare,
    ...(softCap === undefined ? {} : { softCap }),
  };
  const rank = rotary === "half" ? 8 : 0;
  const [q, k, qkv] = [
    [ROWS, HEADS * headDim],
    [ROWS, KEY_VALUE_HEADS * headDim],
    [ROWS, (HEADS + 2 * KEY_VALUE_HEADS) * headDim],
  ];
  const [perHead, keys] = [
    [ROWS, HEADS],
    [ROWS, 2 * ranges],
  ];
  const turns = turned > 0 ? [[32, turned / 2, 2], [ROWS]] : [];
  const packed = [qkv, q, perHead, perHead, keys, ...turns];
  return [
    variant(attentionOp, [q, k, k, keys, keys], attrs),
    variant(attentionOverCacheOp, [q, k, k, keys], attrs),
    variant(attentionDeltaOp, [q, q], attrs),
    variant(attentionDqOp, [q, k, k, q, q, perHead, keys], attrs),
    variant(attentionDkOp, [q, k, k, q, perHead, perHead, keys], attrs),
    variant(attentionDvOp, [q, k, q, perHead, keys], attrs),
    variant(attentionPackedOp, [qkv, keys], attrs),
    variant(attentionOverCachePackedOp, [qkv, k, k, keys], attrs),
    variant(attentionPreOp, [q, ...(rank > 0 ? [[ROWS, rank], [10_000]] : []), q], {
      heads: HEADS,
      headDim,
      rank,
      aOffset: 3,
    }),
    variant(attentionGradientQOp, packed, { ...attrs, rotary: turned }),
    variant(attentionGradientKVOp, [...packed, qkv], { ...attrs, rotary: turned }),
  ];
});
