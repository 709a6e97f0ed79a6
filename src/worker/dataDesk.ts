/** Answers questions about preference sets. */
import { refuse } from "./errorReport.ts";
import type { Handlers } from "./session.ts";
import type { DataCommands } from "./protocol.ts";

const missing = (): never => refuse("RUN-1", "This is not built yet.");

/** Handlers of the commands about data. */
export const dataDesk: Pick<Handlers, keyof DataCommands> = {
  listLayouts: missing,
  readData: missing,
  inspectHubData: missing,
  dataHealth: missing,
  dataRows: missing,
  firstBatch: missing,
  sampleAnswers: missing,
  exportData: missing,
};
