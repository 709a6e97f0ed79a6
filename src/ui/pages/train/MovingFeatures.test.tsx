// @vitest-environment happy-dom
/** The tile of moving features on a page. */
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { configureTrainer, openTrainer } from "../../../state/connection.ts";
import { featureTable } from "../../../state/features.ts";
import { usePlaceStore } from "../../../state/place.ts";
import { applyEvent, beginRun, useRunStore } from "../../../state/runStore.ts";
import { useSaeStore } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testAnswers, testPoints, testScores, TestTrainer } from "../../../state/testTrainer.ts";
import { MovingFeaturesPanel } from "./MovingFeatures.tsx";

let root: Root;
let page: HTMLElement;
const find = (id: string) => page.querySelector<HTMLElement>(`[data-testid="${id}"]`);

const evaluate = (step: number, means: number[], unexplained: number) => {
  const chosen = Float32Array.from(means);
  applyEvent({
    type: "evaluation",
    runId: "run",
    step,
    activeMs: step,
    metrics: { "eval_features/l0": 8 + step / 10, "eval_features/unexplained": unexplained },
    points: testPoints(0, 0),
    scores: testScores,
    features: { saes: [{ id: "story-2", width: 3 }], chosen, rejected: chosen },
  });
};

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  const trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  featureTable.forget();
  useSetupStore.setState(({ config }) => ({
    config: { ...config, heldFeatures: [2] },
    loaded: { backend: "auto", model: "story", weights: "keep", adapters: "[]", data: "kind" },
  }));
  useSaeStore.setState({ inUse: [testAnswers.loadSae] });
  beginRun("run");
  useRunStore.setState({ phase: "paused" });
  page = document.createElement("div");
  document.body.append(page);
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  page.remove();
  vi.unstubAllGlobals();
});

const show = () =>
  act(async () => {
    root.render(
      <MantineProvider>
        <MovingFeaturesPanel />
      </MantineProvider>,
    );
  });

it("lists what moves with sign and size, keeps what is held, and warns of a misfit", async () => {
  evaluate(0, [0, 1, 0.5], 0.1);
  evaluate(10, [2, 0.5, 0.5], 0.4);
  await show();
  const rows = [...page.querySelectorAll(".moving-row")].map((row) => row.textContent);
  expect(rows).toEqual(["#0 ▁█+2 ▲", "#1 █▁−0.5 ▼", "#2  held▁▁0"]);
  expect(find("moving-features")?.textContent).toContain("L0 8 → 9 · unexplained 10% → 40%");
  expect(find("sae-misfit")?.textContent).toContain("rose 4-fold: the autoencoder may no longer fit.");
  await act(async () => useRunStore.setState({ phase: "done" }));
  expect(find("moving-feature-0")?.textContent).toContain("#0 laughed");
  await act(async () => find("moving-feature-1")?.click());
  expect(usePlaceStore.getState()).toMatchObject({
    screen: "features",
    tabs: { features: "feature" },
    feature: 1,
  });
});

it("says what is missing", async () => {
  await show();
  expect(find("moving-features")?.textContent).toBe("Appears after the first evaluation of a run.");
  await act(async () => useSaeStore.setState({ inUse: [] }));
  expect(find("moving-features")?.textContent).toContain("Load an autoencoder or use the embedded one");
});
