/** The tiny model with its embedding and head in shards, as a device of a small binding limit has them; for tests only. */
import type { Model } from "../models/decoder.ts";
import { disposeWeights } from "../models/parcels.ts";
import { uploadWeights } from "../models/uploadWeights.ts";
import { createTinyModel, tinyArrays, tinyPairs } from "../testing/tinyModel.ts";
import { tinyRun } from "./tinyRun.testing.ts";
import type { TrainingRun } from "./train.ts";

/** Holds every stack of linears and 54 of the vocabulary's 200 rows. */
const largestBytes = 3500;
const vocabularySize = 200;

/** What a device that binds everything has, and one that binds little. */
export interface ShardedPair {
  readonly whole: Model;
  readonly sharded: Model;
  readonly dispose: () => void;
}

/** Two models of the same values on the active device. */
export function shardedPair(hasTiedEmbeddings: boolean): ShardedPair {
  const options = { vocabularySize, hasTiedEmbeddings };
  const { model: whole, dispose } = createTinyModel(options);
  const weights = uploadWeights(whole.config, tinyArrays(options), { layout: "f32", largestBytes });
  return {
    whole,
    sharded: { ...whole, ...weights },
    dispose: () => {
      disposeWeights(weights);
      dispose();
    },
  };
}

/** A short run over tokens of all shards, with an evaluation at its end. */
export function shardedRun(model: Model, steps: number): TrainingRun {
  return tinyRun(
    model,
    { steps, evalEvery: steps },
    {
      trainPairs: tinyPairs(8, { vocabularySize }),
      heldoutPairs: tinyPairs(4, { seed: 2, vocabularySize }),
    },
  );
}
