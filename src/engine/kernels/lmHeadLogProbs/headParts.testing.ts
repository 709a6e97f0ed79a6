/** Heads whose weight is in shards, and the same in one piece; for tests only. */
import { tensor } from "../../tensor/run.ts";
import { randomValues } from "../../tensor/testing.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { packShards, packWeight, tensorsOfWeight } from "../weightLayout/packedWeight.ts";
import type { PackedWeight, ShardedWeight } from "../weightLayout/packedWeight.ts";
import { bytesPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import type { HeadInputs } from "./headInputs.ts";
import { statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

/** What a sharded head is like. */
export interface ShardedCase {
  readonly width: number;
  readonly vocabulary: number;
  readonly layout: WeightLayout;
  /** Rows of one shard at most. */
  readonly shardRows: number;
  readonly hasReference?: boolean;
  readonly softCap?: number;
  /** Standard deviation of the logits, roughly. */
  readonly spread?: number;
}

/** A head with its weight in one piece and in shards, and an upstream gradient of all its statistics. */
export interface ShardedHead {
  readonly whole: HeadInputs & { readonly weight: PackedWeight };
  readonly sharded: HeadInputs & { readonly weight: ShardedWeight };
  readonly upstream: Tensor;
  readonly tensors: readonly Tensor[];
}

/** Labels: the first and the last row of every shard, one in the middle, and two that are not scored. */
export function boundaryLabels({ vocabulary, shardRows }: ShardedCase): Int32Array {
  const labels = [-1, vocabulary, Math.floor(shardRows / 2)];
  const shards = Math.ceil(vocabulary / shardRows);
  const rows = Math.ceil(vocabulary / shards);
  for (let first = 0; first < vocabulary; first += rows) {
    labels.push(first, Math.min(first + rows, vocabulary) - 1);
  }
  return Int32Array.from(labels);
}

/** Puts a head on the active device. */
export function shardedHead(testCase: ShardedCase): ShardedHead {
  const { width, vocabulary, layout, shardRows, hasReference = true, softCap = 0, spread = 2 } = testCase;
  const labels = boundaryLabels(testCase);
  const rows = labels.length;
  const states = (seed: number) =>
    tensor(randomValues(seed, [rows, width], spread / Math.sqrt(width)), [rows, width]);
  const values = randomValues(2, [vocabulary, width]);
  const inputs = {
    hidden: states(1),
    labels: tensor(labels, [rows]),
    softCap,
    ...(hasReference ? { reference: states(3) } : {}),
  };
  const weight = packWeight(values, [vocabulary, width], layout);
  const largestBytes = shardRows * bytesPerRow(layout, width);
  const shards = packShards(values, [vocabulary, width], { layout, largestBytes });
  const upstream = tensor(randomValues(4, [rows, statisticsWidth]), [rows, statisticsWidth]);
  const { hidden, labels: held, reference } = { reference: undefined, ...inputs };
  return {
    whole: { ...inputs, weight },
    sharded: { ...inputs, weight: shards },
    upstream,
    tensors: [
      hidden,
      held,
      ...(reference === undefined ? [] : [reference]),
      upstream,
      weight.words,
      ...tensorsOfWeight(shards),
    ],
  };
}
