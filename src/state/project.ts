/** The setup as a project that continues it elsewhere. */
import type { DataSummary, ModelSummary } from "../worker/protocol.ts";
import { createAsker } from "./asked.ts";
import { setupProblems, useSetupStore } from "./setupStore.ts";

/** The files of the newest project. */
export const project = createAsker("exportProject");

let writtenFor: { readonly model: ModelSummary | null; readonly data: DataSummary | null } | null = null;

/** Writes the setup with what is loaded as a project, unless the newest one is that; one that cannot be trained is not written. */
export function writeProject(): void {
  const { config, preflight, model, data } = useSetupStore.getState();
  if (setupProblems({ config, preflight }).length > 0) return;
  // Other files of the disk have the same name in the configuration.
  if (writtenFor?.model !== model || writtenFor.data !== data) project.forget();
  writtenFor = { model, data };
  project.ensure(JSON.stringify(config), { config });
}
