import { expect, it } from "vitest";
import { createRandom } from "../data/random.ts";
import { FileFormatError } from "../files/fileFormatError.ts";
import { mutants, watchAllocations } from "../testing/mutations.ts";
import { tinyConfig } from "../testing/tinyModel.ts";
import { readRewardModel, saveRewardModel } from "./rewardFiles.ts";

const MUTANTS = 400;
/** Values are copied where a scale goes into them; texts take two bytes a letter. */
const LARGEST_FACTOR = 4;
const FIXED_BYTES = 1 << 14;

/** Adapters on two linears, and a head. */
function goodFiles() {
  const random = createRandom(1);
  const draw = (length: number) => Float32Array.from({ length }, () => random.gaussian());
  const adapter = new Map(
    [0, 1].map((layer) => {
      const own = { a: draw(2 * 16), b: draw(2 * 16), rank: 2, inputs: 16, outputs: 16 };
      return [`model.layers.${layer}.self_attn.q_proj`, own] as const;
    }),
  );
  const reward = { adapter, alpha: 4, rank: 2, head: draw(16) };
  const calibration = [{ stated: 0.9, observed: 1, pairs: 4 }];
  const about = { data: "set", trainPairs: 8, heldoutPairs: 4 };
  const quality = { ...about, accuracy: 1, low: 0.5, high: 1, calibration, calibrationError: 0.1 };
  return saveRewardModel(reward, { label: "mine", model: "tiny", quality }, { config: tinyConfig });
}

it.each([0, 1, 2])(
  `reads or refuses ${MUTANTS} reward models whose file %i is damaged`,
  { timeout: 60_000 },
  async (place) => {
    const good = goodFiles();
    const outcomes = { read: 0, refused: 0 };
    for (const bytes of mutants([good[place]!.bytes], { count: MUTANTS, seed: 4 + place })) {
      const files = good.map((file, index) => (index === place ? { ...file, bytes } : file));
      const { result, largest } = await watchAllocations(() =>
        readRewardModel(files, { config: tinyConfig }).catch((error: unknown) => error),
      );
      if (result instanceof Error) {
        expect(result).toBeInstanceOf(FileFormatError);
        outcomes.refused += 1;
      } else {
        const { reward } = result as Awaited<ReturnType<typeof readRewardModel>>;
        expect(reward.head).toHaveLength(16);
        expect(reward.head.every(Number.isFinite)).toBe(true);
        outcomes.read += 1;
      }
      const total = files.reduce((sum, file) => sum + file.bytes.length, 0);
      expect(largest).toBeLessThanOrEqual(LARGEST_FACTOR * total + FIXED_BYTES);
    }
    expect(outcomes.refused).toBeGreaterThan(MUTANTS / 4);
    expect(outcomes.read).toBeGreaterThan(0);
  },
);
