import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_CELL, grid, optuneParts, optuneRunName, shuffledBy } from "./optune.mjs";
import { syntheticRecord, syntheticTable } from "./optune.testing.mjs";
import {
  atEqualSeconds,
  bestOfRows,
  courseOf,
  generationShare,
  halfGain,
  laterSeconds,
  offlineColumns,
  onlineColumns,
  overPairs,
  pairlessShare,
  rise,
  roundSpeedUp,
  runSpeedUp,
  scoreAt,
  secondsOf,
  weightColumns,
  winShare,
} from "./optuneNumbers.mjs";

const wdpo = {
  method: "wdpo",
  regeneratedShare: 1,
  selection: "lowest",
  learningRate: 1,
  rounds: 3,
  seed: 1,
};
const full = syntheticRecord(wdpo);
const half = syntheticRecord({ ...wdpo, regeneratedShare: 0.5 });
const near = (value, expected) =>
  assert.ok(Math.abs(value - expected) < 1e-12, `${value} is not ${expected}`);

describe("what is trained", () => {
  test("the grid has every share both ways and with both weightings, and ρ 1 once", () => {
    assert.equal(grid.length, 2 * (3 * 2 + 1));
    assert.equal(new Set(optuneParts).size, grid.length + 2);
    assert.equal(grid.filter(({ share }) => share === 1).length, 2);
    const cell = grid.find(({ id }) => id === DEFAULT_CELL);
    assert.deepEqual([cell.weighting, cell.share, cell.selection], ["weighted", 0.5, "lowest"]);
  });

  test("a seed is done with every cell before the next begins, and its order is its own", async () => {
    const { asked, announced } = await syntheticTable({ parts: optuneParts });
    assert.equal(announced, 16 * 3);
    assert.deepEqual(
      asked.map(({ seed }) => seed),
      [1, 2, 3].flatMap((seed) => Array(16).fill(seed)),
    );
    const orders = [0, 1, 2].map((block) =>
      asked.slice(16 * block, 16 * block + 16).map((config) => optuneRunName({ ...config, seed: 0 })),
    );
    for (const order of orders) assert.equal(new Set(order).size, 16);
    assert.notDeepEqual(orders[0], orders[1]);
    assert.notDeepEqual(orders[1], orders[2]);
  });

  test("no cell has an early place: over many seeds each is as often before as after another", () => {
    const firsts = Array.from({ length: 400 }, (_, seed) => shuffledBy(seed, grid));
    for (const id of ["plain-1", "weighted-0.3-random"]) {
      const before = firsts.filter(
        (order) =>
          order.findIndex((cell) => cell.id === id) < order.findIndex((cell) => cell.id === DEFAULT_CELL),
      );
      // Half of 400 with a standard deviation of 10.
      assert.ok(Math.abs(before.length - 200) < 40, `${id}: ${before.length}`);
    }
  });

  test("cells that are asked for alone keep their order within a seed", () => {
    const some = grid.slice(3, 8);
    const ids = (cells) => cells.map(({ id }) => id);
    const within = ids(shuffledBy(5, grid)).filter((id) => ids(some).includes(id));
    assert.deepEqual(ids(shuffledBy(5, some)), within);
  });

  test("configurations differ in what their cell says and in nothing else", async () => {
    const { asked } = await syntheticTable({
      parts: ["weighted-0.3-random", "plain-0.3-random", "offline", "frozen"],
      seeds: 2,
    });
    const of = (wanted) => asked.find((config) => config.seed === 2 && wanted(config));
    const weighted = of(({ method }) => method === "wdpo");
    const plain = of(({ method, regeneratedShare }) => method === "dpo" && regeneratedShare === 0.3);
    assert.deepEqual(weighted, {
      ...plain,
      method: "wdpo",
      params: { beta: 0.5, beta2: 0.25, weighting: 0, normalise: 0 },
    });
    assert.deepEqual(plain.params, { beta: 0.5 });
    assert.deepEqual([plain.selection, plain.rounds, plain.steps, plain.backend], ["random", 3, 36, "cpu"]);
    assert.deepEqual(plain.judges, [{ judge: { kind: "rewardModel", id: "story-kind" }, weight: 1 }]);
    assert.deepEqual(plain.heldoutJudge, { kind: "program", id: "kindEndings" });
    assert.equal(of(({ rounds }) => rounds === 0).method, "dpo");
    assert.deepEqual(
      of(({ learningRate }) => learningRate === 0),
      { ...plain, regeneratedShare: 1, selection: "lowest", learningRate: 0 },
    );
  });

  test("the page is warmed up once, with a run that is kept nowhere; where all runs are on disk no page is opened", async () => {
    const { warmedUp } = await syntheticTable({ parts: ["plain-1", "frozen"] });
    assert.equal(warmedUp.length, 1);
    assert.deepEqual([warmedUp[0].seed, warmedUp[0].steps, warmedUp[0].rounds], [0, 3, 3]);
    const kept = await syntheticTable({ parts: ["plain-1"], isKept: true });
    assert.equal(kept.warmedUp.length, 0);
  });
});

describe("what is read", () => {
  test("seconds leave the evaluation out, and later rounds leave the first out", () => {
    // 10 for a full round; at ρ 0.5 a later one has 3.5 + 3.
    near(secondsOf(full), 30);
    near(secondsOf(half), 10 + 6.5 + 6.5);
    near(laterSeconds(half), 6.5);
    near(generationShare(full), 0.7);
    near(generationShare(half), 3.5 / 6.5);
  });

  test("the speed-up that follows from generation's share is the one that such rounds have", () => {
    near(roundSpeedUp(0.7, 0.5), 10 / 6.5);
    near(runSpeedUp(0.7, 0.5, 3), 30 / 23);
    // The paper's own figures: 1.56 at ρ 0.5 and 1.27 at 0.7 belong to g 0.72 and 0.71.
    near(roundSpeedUp(0.72, 0.5), 1.5625);
    assert.equal(roundSpeedUp(0.71, 0.7).toFixed(2), "1.27");
    assert.equal(roundSpeedUp(0.7, 1), 1);
    assert.equal(runSpeedUp(0.7, 1, 3), 1);
  });

  test("figures come from the last answers, gains and losses from all rounds", () => {
    near(onlineColumns.heldout(full), 0.37);
    near(onlineColumns.proxy(full), 0.74);
    near(onlineColumns.winRate(full), 0.87);
    assert.equal(onlineColumns.kl(full), 3);
    assert.equal(onlineColumns.tokens(half), 2000);
    near(rise(full), 0.36);
    near(halfGain(full, "lowest"), 0.301);
    near(halfGain(full, "highest"), -0.15);
    near(pairlessShare(full), 1 / 12);
    // Gaps of 1, 4 and 4, and of 1, 4, 4 and 3 twice; 2.4 of 3 pairs and twice of 4.
    near(weightColumns.gap(full), (9 + 12 + 12) / 11);
    near(weightColumns.weight(full), 0.7);
    near(weightColumns.effective(full), (0.8 + 0.6 + 0.6) / 3);
  });

  test("a record without rounds or scores is refused in a sentence", () => {
    const bare = { rounds: [], onlineEvaluations: [] };
    assert.throws(() => onlineColumns.heldout(bare), /has no held-out score/);
    assert.throws(() => rise({ ...full, onlineEvaluations: [{ heldout: null }] }), /has no held-out score/);
    assert.throws(
      () => halfGain({ rounds: [{ metrics: {} }, { metrics: {} }] }, "lowest"),
      /gain of the lowest/,
    );
  });

  test("at equal seconds the other run is read between its rounds", () => {
    const course = [
      { seconds: 0, heldout: 0 },
      { seconds: 10, heldout: 0.2 },
      { seconds: 20, heldout: 0.6 },
    ];
    near(scoreAt(course, 0), 0);
    near(scoreAt(course, 5), 0.1);
    near(scoreAt(course, 10), 0.2);
    near(scoreAt(course, 17), 0.48);
    near(scoreAt(course, 99), 0.6);
    // ρ 0.5 ends after 23 s with 0.01 + 3·0.11; ρ 1 had 0.01 + 2.3·0.12 by then.
    assert.deepEqual(
      courseOf(half).map(({ seconds }) => seconds),
      [0, 10, 16.5, 23],
    );
    near(atEqualSeconds(half, full), 3 * 0.11 - 2.3 * 0.12);
  });

  test("pairs are of one seed; timed ones also of one sitting", () => {
    const run = (seed, value, sitting = "monday") => ({ config: { seed }, record: { value, sitting } });
    const read = (one, other) => one.value - other.value;
    const runs = [run(1, 5), run(2, 7), run(3, 9, "tuesday")];
    const others = [run(3, 1), run(2, 3), run(1, 2), run(4, 100)];
    const plain = overPairs(runs, others, read);
    near(plain.mean, (3 + 4 + 8) / 3);
    assert.equal(plain.pairs, 3);
    const timed = overPairs(runs, others, read, { isTimed: true });
    near(timed.mean, 3.5);
    assert.equal(timed.pairs, 2);
    assert.equal(overPairs([run(5, 1)], others, read), null);
    const broken = { config: { seed: 1 }, record: { failure: { message: "" } } };
    assert.equal(overPairs([broken], others, read), null);
  });

  test("offline answers are drawn samples; ties count half", () => {
    const record = syntheticRecord({ rounds: 0 });
    near(offlineColumns.heldout(record), 0.3);
    near(offlineColumns.winRate(record), (1 + 0.5 + 1) / 3);
    assert.equal(offlineColumns.seconds(record), 7);
    const sample = (judgeScore) => [{ prompt: "a", mode: "seeded", judgeScore }];
    assert.equal(winShare(sample(0.5), sample(0.2)), 0);
  });

  test("best of n is told by the starting model's answers", () => {
    const rows = bestOfRows([
      { config: {}, record: full },
      { config: {}, record: { failure: {} } },
    ]);
    assert.deepEqual(
      rows.map(({ n, proxy, heldout }) => [n, proxy.mean, heldout.mean]),
      [
        [1, 0.1, 0.05],
        [2, 0.2, 0.1],
        [4, 0.4, 0.2],
      ],
    );
  });
});
