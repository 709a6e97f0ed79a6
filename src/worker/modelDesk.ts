/** Answers questions about models and adapters. */
import { refuse } from "./errorReport.ts";
import type { Handlers } from "./session.ts";
import type { ModelCommands } from "./protocol.ts";

const missing = (): never => refuse("RUN-1", "This is not built yet.");

/** Handlers of the commands about models. */
export const modelDesk: Pick<Handlers, keyof ModelCommands> = {
  setHub: missing,
  inspectHub: missing,
  downloadModel: missing,
  pauseDownload: missing,
  keepModel: missing,
  listShelf: missing,
  removeFromShelf: missing,
  importAdapter: missing,
  keepAdapter: missing,
  useAdapters: missing,
  exportModel: missing,
  uploadModel: missing,
  weightsPerplexity: missing,
};
