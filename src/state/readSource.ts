/** Preference sets that can be read without being used: from a disk, from the Hub, or those that come with the studio. */
import type { RunConfig } from "../engine/training/config.ts";
import type { DataReading } from "../worker/protocol.ts";
import { callTrainer } from "./connection.ts";
import { isOnHub, tellHub } from "./hub.ts";
import { localId } from "./link.ts";
import { handOver } from "./loading.ts";
import { useSetupStore } from "./setupStore.ts";

/** A set that can be read. */
export interface DataSource {
  /** Id as the configuration names it. */
  readonly id: string;
  /** Files from the person's disk; null for sets that are elsewhere. */
  readonly files: readonly File[] | null;
}

/** How a set is to be read; an empty layout is the one that its columns tell. */
export type ReadingChoice = Pick<RunConfig, "dataLayout" | "dataColumns">;

/** Read as its columns tell. */
export const asTold: ReadingChoice = { dataLayout: "", dataColumns: {} };

/** Reads a set as it would be used with these columns. */
export async function readSource(
  source: DataSource,
  { dataLayout, dataColumns }: ReadingChoice,
): Promise<DataReading> {
  const files = source.files === null ? null : handOver(source.files);
  if (isOnHub(source.id)) await tellHub();
  return callTrainer("readData", { id: source.id, files, layout: dataLayout, columns: dataColumns });
}

/** The set that the configuration names. */
export function presentSource(): DataSource {
  const { config, chosenFiles } = useSetupStore.getState();
  return { id: config.data, files: config.data === localId ? chosenFiles.data : null };
}

/** Name of a set as its files or the Hub have it. */
export function nameOf({ id, files }: DataSource): string {
  if (files !== null) return files.map(({ name }) => name).join(", ");
  return id.replace(/^hub:/, "").replace(/[?#].*$/, "");
}
