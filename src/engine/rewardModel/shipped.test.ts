/** The reward models that come along must be as good as they say, and made for the model that comes along. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { embeddedDatasets, embeddedModels, embeddedRewardModels } from "../data/embedded.ts";
import { readDataSet } from "../data/readDataSet.ts";
import { tokenizePairs } from "../data/tokenizePairs.ts";
import { loadModel, type LoadedModel } from "../models/loadModel.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { measureQuality } from "./quality.ts";
import { readRewardModel } from "./rewardFiles.ts";
import { placeRewardModel } from "./rewardModel.ts";

const publicFolder = join(import.meta.dirname, "../../../public");
const bytesOf = (path: string) => new Uint8Array(readFileSync(join(publicFolder, path)));

/** Every so many held-out pairs are scored again. */
const STRIDE = 10;
const MOST_BYTES = 150_000;
const LEAST_ACCURACY = 0.9;
const MAX_TOKENS = 128;

const cardText = readFileSync(join(publicFolder, "rewards/REWARD_CARD.md"), "utf8");

let loaded: LoadedModel;

beforeAll(async () => {
  await openTestDevice("cpu");
  const [story] = embeddedModels;
  loaded = await loadModel(
    story!.files.map((name) => ({ name, bytes: bytesOf(`${story!.folder}/${name}`) })),
  );
});

describe.each(embeddedRewardModels)("$label", ({ id, model, data, objective, label, folder, files }) => {
  it("is what its files and the card say", { timeout: 60_000 }, async () => {
    const bytes = files.map((name) => ({ name: `${folder}/${name}`, bytes: bytesOf(`${folder}/${name}`) }));
    expect(bytes.reduce((sum, file) => sum + file.bytes.length, 0)).toBeLessThan(MOST_BYTES);
    const { reward, card } = await readRewardModel(bytes, loaded.model);
    expect(card).toMatchObject({ label, model });
    const stated = card.quality!;
    const { files: splits, objectives } = embeddedDatasets.find((each) => each.id === data)!;
    const { rows } = await readDataSet([{ name: splits.heldout, bytes: bytesOf(splits.heldout) }]);
    const own = objectives.length === 1 ? rows : rows.filter((row) => row.objective === objective);
    const { pairs } = tokenizePairs(own, { tokenizer: loaded.tokenizer, maxTokens: MAX_TOKENS });
    expect(stated.heldoutPairs).toBe(pairs.length);
    expect(stated.accuracy).toBeGreaterThanOrEqual(LEAST_ACCURACY);
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    expect(cardText).toContain(
      `| ${id} | ${stated.data} | ${stated.trainPairs} | ${pairs.length} | ${percent(stated.accuracy)} |`,
    );
    const placed = placeRewardModel(loaded.model, reward);
    const some = pairs.filter((_, index) => index % STRIDE === 0);
    const found = await measureQuality(placed, some, { data: stated.data, trainPairs: stated.trainPairs });
    placed.dispose();
    // Of so few pairs as many are missed at most as all of those that are missed.
    const mostMissed = Math.min(1, (1 - stated.accuracy) * STRIDE);
    expect(found.accuracy).toBeGreaterThanOrEqual(1 - mostMissed);
    const meanOf = ({ calibration }: typeof found) =>
      calibration.reduce((sum, bin) => sum + bin.stated * bin.pairs, 0) /
      calibration.reduce((sum, bin) => sum + bin.pairs, 0);
    expect(Math.abs(meanOf(found) - meanOf(stated))).toBeLessThan(0.01);
  });
});
