// @vitest-environment happy-dom
/** Sources and columns on the Data screen, with a trainer that answers as told. */
import { act } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openFiles } from "../../../state/localFiles.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testAnswers } from "../../../state/testTrainer.ts";
import {
  button,
  closeDataPage,
  config,
  find,
  openDataPage,
  press,
  settle,
  show,
  trainer,
  type,
  words,
} from "./dataPage.testing.tsx";

beforeEach(openDataPage);
afterEach(closeDataPage);

it("shows both embedded sets with an example, and uses another one as it comes", async () => {
  useSetupStore.setState(({ config: present }) => ({
    config: {
      ...present,
      dataSteps: [{ kind: "relabel" }],
      dataLayout: "hh",
      dataColumns: { chosen: "good" },
    },
  }));
  await show("sources");
  expect(words()).toContain("Kind endings");
  expect(words()).toContain("chosen Tom helped.rejected Tom laughed.");
  expect(trainer.questions("readData")).toEqual(
    ["kind-endings", "helpful-harmless"].map((id) => ({ id, files: null, layout: "", columns: {} })),
  );
  await press(button("Use Helpful vs harmless"));
  expect(config()).toMatchObject({
    data: "helpful-harmless",
    objective: "helpful",
    dataSteps: [],
    dataLayout: "",
    dataColumns: {},
  });
});

it("asks which column is which where that is in doubt, and reads the set as it was told", async () => {
  const { readData } = testAnswers;
  trainer.answers.readData = ({ columns }) => ({
    ...readData,
    isCertain: false,
    columnsByRole: Object.keys(columns).length > 0 ? columns : readData.columnsByRole,
  });
  await show("sources");
  await act(() => openFiles([new File(["question,good,bad"], "odd.csv")]));
  await settle();
  expect(trainer.questions("loadData")).toEqual([]);
  expect((find("mapping-chosen") as HTMLSelectElement).value).toBe("good");
  expect(find("mapping-count")?.textContent).toBe("2 of 3 rows can be used.");
  expect(find("mapping")?.textContent).toContain("Not used: the chosen answer is empty.");
  await type(find("mapping-chosen")!, "bad");
  expect(trainer.questions("readData").at(-1)).toMatchObject({
    layout: "trlPreference",
    columns: { prompt: "question", chosen: "bad", rejected: "bad" },
  });
  await type(find("mapping-rejected")!, "good");
  await press(find("mapping-apply"));
  expect(trainer.questions("loadData").at(-1)).toMatchObject({
    id: "local",
    layout: "trlPreference",
    columns: { prompt: "question", chosen: "bad", rejected: "good" },
  });
  expect(config()).toMatchObject({ data: "local", dataLayout: "trlPreference" });
  expect(find("mapping")).toBeNull();
});

it("keeps the dialog open with the reason when the set is refused, and the set that was there", async () => {
  trainer.answers.readData = () => ({ ...testAnswers.readData, isCertain: false });
  const message = "2 pairs are too few: at least 4 are needed.";
  trainer.refusals.set("loadData", { name: "Error", code: "DAT-1", message, details: {} });
  await show("sources");
  await act(() => openFiles([new File(["question,good,bad"], "odd.csv")]));
  await settle();
  await press(find("mapping-apply"));
  expect(find("mapping")?.textContent).toContain(message);
  expect(config().data).toBe("kind-endings");
});

it("takes rows of a data set on the Hub", async () => {
  await show("sources");
  await type(find("hub-repo")!, "acme/pairs");
  await act(async () => find("hub-repo")?.closest("form")?.requestSubmit());
  await settle();
  expect(trainer.questions("inspectHubData")).toEqual([{ repo: "acme/pairs" }]);
  expect(words()).toContain("Licence: mit");
  await press(button("Use"));
  expect(config().data).toBe("hub:acme/pairs#train.parquet?rows=1000");
  expect(trainer.questions("loadData").at(-1)).toMatchObject({
    id: "hub:acme/pairs#train.parquet?rows=1000",
    files: null,
  });
});
