import { describe, expect, test } from "vitest";
import { RunHistory } from "../../state/series.ts";
import { displacementCallout } from "./callouts.ts";
import { buildGuides, buildSeries, hasSeries, metricNames } from "./chartSeries.ts";
import { charts } from "./index.ts";
import { summarise, tableRows, toCsv } from "./summary.ts";

function runOf(steps: number, metrics: (step: number) => Record<string, number>): RunHistory {
  const history = new RunHistory();
  for (let step = 1; step <= steps; step++) {
    history.addStep({ step, activeMs: step * 500, metrics: metrics(step) });
  }
  return history;
}

const chartOf = (id: string) => charts.find((chart) => chart.id === id) ?? charts[0]!;
const falling = (chosenSlope: number, rejectedSlope: number) => {
  const history = runOf(40, (step) => ({
    "logps/chosen": -30 + chosenSlope * step,
    "logps/rejected": -32 + rejectedSlope * step,
  }));
  const chart = chartOf("logps");
  return { chart, history, series: buildSeries(chart.views[0], history, "steps") };
};

describe("the list of charts", () => {
  test("shows a chart for every run that has one of its series", () => {
    const history = runOf(2, () => ({ loss: 1, entropy: 2 }));
    expect(charts.filter((chart) => hasSeries(chart, history)).map(({ id }) => id)).toEqual([
      "entropy",
      "loss",
    ]);
  });

  test("names what is measured on held-out pairs only by its eval_ name", () => {
    const chart = chartOf("kl");
    const history = new RunHistory();
    expect(hasSeries(chart, history)).toBe(false);
    history.addEvaluation({ step: 0, activeMs: 0, metrics: { "eval_kl/chosen": 0, "eval_kl/rejected": 0 } });
    expect(hasSeries(chart, history)).toBe(true);
    expect(metricNames(chart, chart.views[0], history)).toBe("eval_kl/chosen · eval_kl/rejected");
    expect(buildSeries(chart.views[0], history, "steps").map(({ evalPoints }) => evalPoints)).toEqual([
      [{ x: 0, y: 0 }],
      [{ x: 0, y: 0 }],
    ]);
  });

  test("draws the KL of steps that have it beside that of evaluations, under its own name", () => {
    const chart = chartOf("kl");
    const history = runOf(2, (step) => ({ "kl/chosen": step, "kl/rejected": 2 * step }));
    history.addEvaluation({
      step: 2,
      activeMs: 1000,
      metrics: { "eval_kl/chosen": 5, "eval_kl/rejected": 6 },
    });
    expect(metricNames(chart, chart.views[0], history)).toBe("kl/chosen · kl/rejected");
    const [chosen, rejected] = buildSeries(chart.views[0], history, "steps");
    expect(chosen).toMatchObject({
      complete: [1, 2].map((x) => ({ x, y: x })),
      evalPoints: [{ x: 2, y: 5 }],
    });
    expect(rejected).toMatchObject({
      complete: [1, 2].map((x) => ({ x, y: 2 * x })),
      evalPoints: [{ x: 2, y: 6 }],
    });
  });

  test("gives every chart its own id", () => {
    expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
  });
});

test("active seconds replace steps on the axis", () => {
  const history = runOf(3, (step) => ({ loss: step }));
  history.addEvaluation({ step: 2, activeMs: 1000, metrics: { eval_loss: 5 } });
  const [series] = buildSeries(chartOf("loss").views[0], history, "seconds");
  expect(series?.points.map(({ x }) => x)).toEqual([0.5, 1, 1.5]);
  expect(series?.evalPoints).toEqual([{ x: 1, y: 5 }]);
});

test("the first held-out log-probs are drawn as a guide only when they were measured at the start", () => {
  const { chart, history } = falling(-0.1, -0.3);
  history.addEvaluation({ step: 0, activeMs: 0, metrics: { "eval_logps/chosen": -31 } });
  expect(buildGuides(chart, buildSeries(chart.views[0], history, "steps"))).toEqual([
    { y: -31, label: "start" },
  ]);
  history.clear();
  history.addEvaluation({ step: 10, activeMs: 0, metrics: { "eval_logps/chosen": -31 } });
  expect(buildGuides(chart, buildSeries(chart.views[0], history, "steps"))).toEqual([]);
});

describe("the remark on displacement", () => {
  test("is made when chosen falls while the margin rises", () => {
    expect(displacementCallout(falling(-0.1, -0.3).series)).toMatch(
      /^Chosen fell by 3\.\d+ while the margin rose by [67]/,
    );
  });

  test("needs only log-probs, which every method logs: of evaluations alone, and per token", () => {
    const history = new RunHistory();
    for (const step of [0, 10]) {
      const metrics = {
        "eval_logps_per_token/chosen": -1 - step / 20,
        "eval_logps_per_token/rejected": -1 - step,
      };
      history.addEvaluation({ step, activeMs: step, metrics });
    }
    const perToken = chartOf("logps").views.find(({ id }) => id === "per-token")!;
    expect(displacementCallout(buildSeries(perToken, history, "steps"))).toBe(
      "Chosen fell by 0.5 while the margin rose by 9.5.",
    );
  });

  test("is not made when chosen rises, when the margin falls, or too early", () => {
    expect(displacementCallout(falling(0.1, -0.3).series)).toBeNull();
    expect(displacementCallout(falling(-0.3, -0.1).series)).toBeNull();
    const early = runOf(3, (step) => ({ "logps/chosen": -step, "logps/rejected": -2 * step }));
    expect(displacementCallout(buildSeries(chartOf("logps").views[0], early, "steps"))).toBeNull();
  });
});

test("the summary is one sentence with the newest values and where they are heading", () => {
  const { chart, series } = falling(-0.1, 0.2);
  expect(summarise(chart.title, series, "step")).toBe(
    "Log-probs of answers at step 40: chosen −34, down since the start; rejected −24, up since the start.",
  );
  expect(summarise("Loss", [], "step")).toBe("Loss: nothing measured yet.");
});

test("the file holds raw values, with nothing where nothing was measured", () => {
  const history = runOf(2, (step) => ({ loss: step === 2 ? Number.NaN : 0.1 }));
  history.addEvaluation({ step: 0, activeMs: 0, metrics: { eval_loss: 0.7 } });
  const rows = tableRows(buildSeries(chartOf("loss").views[0], history, "steps"));
  expect(toCsv(rows, "step")).toBe("step,loss,eval_loss\n0,,0.7\n1,0.1,\n2,NaN,\n");
});

test("intervals are drawn with their line and stand in the table", () => {
  const line = {
    name: "judge/score",
    label: "proxy",
    color: "rejected",
    points: [],
    evalPoints: [{ x: 1, y: 0.5 }],
    intervals: [{ x: 1, low: 0.25, high: 0.75 }],
  } as const;
  expect(tableRows([line])).toEqual({
    columns: ["eval_judge/score", "judge/score from", "judge/score to"],
    rows: [{ x: 1, values: [0.5, 0.25, 0.75] }],
  });
});
