/** Answers questions about preference sets. */
import { dataFormats } from "../engine/data/formats/index.ts";
import { readDataSet } from "../engine/data/readDataSet.ts";
import { writePairs } from "../engine/data/writePairs.ts";
import { referenceWeights } from "../engine/models/weights.ts";
import { firstBatchAsSeen } from "../engine/training/firstBatch.ts";
import { healthOf, heldPairs, tellHealth } from "./checkedData.ts";
import { refuseOtherPairs } from "./configProblems.ts";
import type { DeskSources } from "./featureDesk.ts";
import { refuse } from "./errorReport.ts";
import type { DataCommands, DataReading, ExportedFile } from "./protocol.ts";
import { filesOf, type SetSources } from "./readSet.ts";
import { createRowTable, type RowTable } from "./rowTable.ts";
import type { OwnData } from "./runSettings.ts";
import { sampleAnswers } from "./sampleAnswers.ts";
import type { Handlers } from "./session.ts";

/** What the desk needs of the session; `model` and `data` refuse while nothing is loaded. */
export interface DataDeskSources extends Pick<DeskSources, "model" | "alone" | "withPolicy">, SetSources {
  readonly data: () => OwnData;
  /** Files of rows of a data set on the Hub; absent where there is no Hub. */
  readonly inspectHubData?: Handlers["inspectHubData"];
}

/** Opens the desk: a handler of every command about data. */
export function createDataDesk(sources: DataDeskSources): Pick<Handlers, keyof DataCommands> {
  const { model, data, alone, withPolicy } = sources;
  const tables = new WeakMap<OwnData, RowTable>();
  const tableOf = async (loaded: OwnData): Promise<RowTable> => {
    const health = await healthOf(loaded);
    const table = tables.get(loaded) ?? createRowTable(heldPairs(loaded), health);
    tables.set(loaded, table);
    return table;
  };
  return {
    listLayouts: () =>
      dataFormats.map(({ id, label, kind, roles }) => ({
        id,
        label,
        kind,
        roles: roles.map(({ id: role, column, isOptional }) => ({ id: role, column, isOptional })),
      })),
    readData: (question) => readData(question, sources),
    inspectHubData:
      sources.inspectHubData ?? (() => refuse("NET-1", "Data sets on the Hub cannot be reached from here.")),
    dataHealth: () => tellHealth(data()),
    dataRows: async (query) => (await tableOf(data())).find(query),
    firstBatch: ({ config }) => {
      const loaded = data();
      refuseOtherPairs(config, loaded);
      const seen = firstBatchAsSeen(config, loaded.train, model().tokenizer);
      // The table names rows by their places.
      return seen.map((pair) => ({ ...pair, row: loaded.trainRows[pair.row]?.place ?? pair.row }));
    },
    sampleAnswers: (question) =>
      alone(() =>
        withPolicy((policy) => {
          const owner = model();
          const weights = policy?.weights ?? referenceWeights(owner.model);
          return sampleAnswers(owner, weights, { data: data(), question });
        }),
      ),
    exportData: () => exportData(data()),
  };
}

/** Reads a set as it would be loaded, and says how. */
async function readData(
  question: DataCommands["readData"]["question"],
  sources: SetSources,
): Promise<DataReading> {
  const { files, rows } = await filesOf(question, sources);
  const set = await readDataSet(files, { layout: question.layout, columns: question.columns, rows });
  const { label, columns, layout, columnsByRole, isCertain, alternatives, preview } = set;
  return {
    label,
    columns,
    layout,
    columnsByRole,
    isCertain,
    alternatives,
    rows: set.entries,
    read: set.entries - set.problems.length,
    preview,
  };
}

/** The pairs that are trained and evaluated on, as they are after their steps. */
function exportData(data: OwnData): ExportedFile[] {
  const pairs = heldPairs(data);
  return (["train", "heldout"] as const).flatMap((split) => {
    const rows = pairs.filter((held) => held.split === split).map(({ row }) => row);
    return writePairs(rows).map(({ suffix, text }) => ({
      name: `${split}${suffix}.jsonl`,
      bytes: new TextEncoder().encode(text),
    }));
  });
}
