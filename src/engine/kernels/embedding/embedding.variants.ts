import { everyChoice, variant } from "../../tensor/variant.ts";
import { weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import { embeddingGradOp, embeddingOp, packedEmbeddingOp, shardEmbeddingOp } from "./embedding.ts";

const packed = everyChoice({ layout: weightLayouts, columns: [96, 90], isNativeHalf: [false, true] });

/** Texts to compile. */
export const variants = [
  variant(embeddingOp, [[5], [11, 96]], { scale: 1 }),
  variant(embeddingGradOp, [[5], [5, 96]], { scale: 1, vocabulary: 11 }),
  ...packed.flatMap((attrs) => {
    const shapes = [[5], [11, wordsPerRow(attrs.layout, attrs.columns)]];
    return [
      variant(packedEmbeddingOp, shapes, { ...attrs, scale: 1 }),
      variant(shardEmbeddingOp, [...shapes, [5, attrs.columns]], { ...attrs, scale: 1, first: 7 }),
    ];
  }),
];
