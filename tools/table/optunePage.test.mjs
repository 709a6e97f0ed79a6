import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { optuneParts } from "./optune.mjs";
import { common, syntheticRecord, syntheticTable } from "./optune.testing.mjs";
import { optunePage, qualitySentence, riseSentence } from "./optunePage.mjs";
import { chanceSentence } from "./optuneScorePage.mjs";
import { speedSentence, speedUpsOf } from "./optuneTimePage.mjs";

const pageOf = (found) =>
  optunePage(found, { command: "npm run table -- optune", common, seeds: 3, pages: 1, fingerprint: "f00" });
/** The cells of the rows that begin with these, without the spaces around them. */
const rowsOf = (page, ...start) =>
  page
    .split("\n")
    .filter((line) => line.startsWith(`| ${start.join(" | ")} |`))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
/** A row of speed-ups, beside one of seconds by stage. */
const isSpeed = (row) => row.length === 9 && !row.some((cell) => cell.includes("±"));
const wholeTable = async () => (await syntheticTable({ parts: optuneParts })).found;
const cellOf = ({ cells }, id) => cells.find((cell) => cell.id === id);

describe("the page", () => {
  test("has a row for every cell, with the difference to ρ 1 of its own weighting", async () => {
    const page = pageOf(await wholeTable());
    // Rises: weighted 0.12 a round at ρ 1 and 0.11 at ρ 0.5, plain 0.1 and 0.09; seeds 1 to 3 add 0.02 on average.
    const [weighted] = rowsOf(page, "weighted", "0.5", "lowest");
    assert.deepEqual(weighted.slice(3), [
      "0.350 ± 0.025",
      "−0.030 [−0.030, −0.030]",
      // 0.33 less 2.3 rounds of 0.12.
      "0.054 [0.054, 0.054]",
      "0.850 ± 0.025",
      "0.700 ± 0.050",
      "3.00 ± 0.00",
      "23.0 ± 0.0",
    ]);
    const [plain] = rowsOf(page, "plain", "0.5", "random");
    assert.deepEqual(plain.slice(3, 5), ["0.230 ± 0.025", "−0.090 [−0.090, −0.090]"]);
    assert.deepEqual(rowsOf(page, "plain (iterative DPO)", "1", "all")[0].slice(3, 5), [
      "0.320 ± 0.025",
      "–",
    ]);
    assert.deepEqual(rowsOf(page, "starting model, best of 4")[0].slice(3, 9), [
      "0.200 ± 0.000",
      "–",
      "–",
      "–",
      "0.400 ± 0.000",
      "–",
    ]);
    assert.deepEqual(rowsOf(page, "the set's own (offline DPO)")[0].slice(3), [
      "0.300 ± 0.000",
      "–",
      "–",
      "0.833 ± 0.000",
      "–",
      "–",
      "7.0 ± 0.0",
    ]);
    assert.doesNotMatch(page, /NaN|undefined|null/);
    assert.match(page, /judges failed on 42 answers/);
    assert.match(page, /On average 8\.3 % of the prompts/);
  });

  test("answers the paper's claims by the intervals", async () => {
    const page = pageOf(await wholeTable());
    assert.match(
      page,
      /judge changes by 0\.330 \[0\.330, 0\.330\] over 3 seeds; the interval lies above zero: it has risen\./,
    );
    assert.match(
      page,
      /- weighted, ρ 0\.5, lowest: .* −0\.030 \[−0\.030, −0\.030\]: worse, which disagrees with the paper\./,
    );
    assert.match(page, /Of 6 orderings of the paper 6 are seen here/);
    assert.match(page, /held-out judge of weighted, ρ 0\.3, lowest above random \(0\.084 /);
    assert.match(
      page,
      /- plain, ρ 0\.5, lowest: a round after the first is 1\.54 \[1\.54, 1\.54\] times as fast .* whole run 1\.30/,
    );
  });

  test("sets expected and measured speed-ups side by side, and counts the pairs", async () => {
    const page = pageOf(await wholeTable());
    // Of a round with g 0.7: 1 / (1 − 0.7·0.7) at ρ 0.3; of a run with a full first round: 30 / (10 + 2·5.1).
    const speed = rowsOf(page, "weighted", "0.3", "lowest").find(isSpeed);
    assert.deepEqual(speed.slice(3), [
      "1.96 [1.96, 1.96]",
      "1.96 [1.96, 1.96]",
      "1.49 [1.49, 1.49]",
      "1.49 [1.49, 1.49]",
      "3",
      "–",
    ]);
    const stages = rowsOf(page, "weighted", "0.3", "lowest").find((row) => row.at(-1).endsWith("%"));
    assert.deepEqual(stages.slice(3), [
      "1.80 ± 0.00",
      "0.30 ± 0.00",
      "1.00 ± 0.00",
      "2.00 ± 0.00",
      "5.10 ± 0.00",
      "30 %",
    ]);
    assert.match(page, /- plain pairs: g = 0\.700 \[0\.700, 0\.700\]\./);
  });

  test("tells the halves' gains, and takes off what chance alone gives", async () => {
    const page = pageOf(await wholeTable());
    // 0.3 and −0.15 with learning, but for a thousandth of the seed; 0.2 and −0.2 without.
    assert.deepEqual(rowsOf(page, "learning nothing")[0].slice(1), [
      "0.200 [0.200, 0.200]",
      "−0.200 [−0.200, −0.200]",
      "0.400 [0.400, 0.400]",
    ]);
    assert.match(
      page,
      /gain of the lowest half above that of the highest, plain pairs \(0\.452 \[0\.450, 0\.454\]\)/,
    );
    assert.match(page, /- weighted pairs: 0\.052 \[0\.050, 0\.054\]\./);
  });

  test("sets weighted beside plain, seed by seed", async () => {
    const page = pageOf(await wholeTable());
    const row = rowsOf(page, "0.7", "random")[0];
    assert.deepEqual(row.slice(2, 5), ["3.00 ± 0.00", "0.700 ± 0.000", "67 %"]);
    assert.deepEqual(row.slice(5), ["0.060 [0.060, 0.060]", "0.060 [0.060, 0.060]", "0.000 [0.000, 0.000]"]);
  });

  test("is written of any of its cells", async () => {
    for (const parts of [["offline"], ["frozen"], ["weighted-0.5-lowest"], ["plain-1", "plain-0.7-random"]]) {
      const page = pageOf((await syntheticTable({ parts })).found);
      assert.doesNotMatch(page, /NaN|undefined|null/, parts.join());
    }
  });

  test("names a run that broke, and leaves it out of every mean and pair", async () => {
    const recordOf = (config) =>
      config.method === "wdpo" && config.regeneratedShare === 1 && config.seed === 2
        ? { failure: { code: "NUM-1", message: "The loss was infinite." }, commit: "abc" }
        : syntheticRecord(config);
    const page = pageOf((await syntheticTable({ parts: optuneParts, recordOf })).found);
    assert.match(page, /- wdpo, ρ 1, seed 2: The loss was infinite\./);
    const speed = rowsOf(page, "weighted", "0.3", "lowest").find(isSpeed);
    assert.equal(speed.at(-2), "2");
    assert.doesNotMatch(page, /NaN|undefined/);
  });

  test("compares no times of different sittings", async () => {
    const recordOf = (config) =>
      syntheticRecord(config, { sitting: config.regeneratedShare === 1 ? "monday" : "tuesday" });
    const page = pageOf((await syntheticTable({ parts: optuneParts, recordOf })).found);
    const speed = rowsOf(page, "plain", "0.5", "lowest").find(isSpeed);
    assert.deepEqual(speed.slice(4), ["–", "1.30 [1.30, 1.30]", "–", "0", "1.56"]);
    assert.match(page, /no seed ran in one sitting with ρ 1/);
    assert.match(page, /\| −0\.030 \[−0\.030, −0\.030\] +\| –/);
  });
});

describe("its sentences", () => {
  const cell = { weighting: "plain", share: 0.5, selection: "lowest" };

  test("a difference is better, worse, or not distinguishable with the loss that is excluded", () => {
    const say = (mean, half) => qualitySentence(cell, { mean, half });
    assert.match(say(0.2, 0.1), /by 0\.200 \[0\.100, 0\.300\]: better/);
    assert.match(say(-0.2, 0.1), /worse, which disagrees with the paper/);
    assert.match(say(-0.02, 0.1), /not distinguishable, and a loss of more than 0\.120 is excluded/);
    assert.match(say(-0.02, null), /one seed has no interval/);
    assert.match(qualitySentence(cell, null), /no seed in common/);
  });

  test("a rise is only shown by an interval above zero", async () => {
    const withRises = async (rises) => {
      const recordOf = (config) => {
        const record = syntheticRecord(config);
        const ends = [0, rises[config.seed - 1]].map((score) => ({ heldout: { mean: score } }));
        return { ...record, onlineEvaluations: ends };
      };
      return (await syntheticTable({ parts: ["weighted-0.5-lowest"], recordOf })).found.cells;
    };
    assert.match(riseSentence(await withRises([0.1, 0.2, 0.3])), /0\.200 \[−0\.048, 0\.448\] .*not shown/);
    assert.match(riseSentence(await withRises([0.19, 0.2, 0.21])), /it has risen/);
    assert.match(riseSentence(await withRises([-0.19, -0.2, -0.21])), /it has fallen/);
    assert.match(riseSentence([]), /was not trained/);
  });

  test("the paper's speed-up lies within, above or below the interval", () => {
    const say = (mean, half) =>
      speedSentence({ roundMeasured: { mean, half }, runMeasured: { mean: 1.2, half: 0.1 } }, 1.56);
    assert.match(say(1.5, 0.1), /The paper's 1\.56 lies within the interval of a round\./);
    assert.match(say(1.2, 0.1), /1\.56 lies above the interval/);
    assert.match(say(1.8, 0.1), /1\.56 lies below the interval/);
  });

  test("expected speed-ups come from the share of ρ 1, not of the cell", async () => {
    const found = await wholeTable();
    const { roundExpected, runExpected } = speedUpsOf(
      cellOf(found, "plain-0.7-lowest"),
      cellOf(found, "plain-1"),
    );
    assert.equal(roundExpected.mean.toFixed(6), (1 / (1 - 0.7 * 0.3)).toFixed(6));
    assert.equal(runExpected.mean.toFixed(6), (3 / (1 + 2 * (1 - 0.7 * 0.3))).toFixed(6));
  });

  test("without the run that learns nothing the page says that chance is not told apart", () => {
    assert.match(chanceSentence([], undefined), /No run says how much/);
  });
});
