/** What a person does with the rounds of a run: ask the judges again, save their pairs, or train on them. */
import type { RoundRecord } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { downloadFile } from "./download.ts";
import { openData } from "./localFiles.ts";
import { raiseError } from "./messageStore.ts";
import { openTab } from "./navigation.ts";
import { addLog } from "./runStore.ts";

/** Asks the judges again for the answers that they could not score; resolves to why not, or to null. */
export function retryJudges(): Promise<string | null> {
  return callTrainer("retryJudges", null).then(() => null, sentenceOf);
}

/** Saves the pairs of a round as files. */
export async function saveRound(record: RoundRecord): Promise<void> {
  try {
    const files = await callTrainer("exportRound", { record });
    for (const file of files) downloadFile(file);
    addLog({ level: "info", message: `Saved the pairs of round ${record.round + 1}.` });
  } catch (error) {
    raiseError(error);
  }
}

/** Uses the pairs of a round as the data set, as any file from the disk, and shows it. */
export async function openRound(record: RoundRecord): Promise<void> {
  try {
    const files = await callTrainer("exportRound", { record });
    openTab("data", "sources");
    await openData(files.map(({ name, bytes }) => new File([bytes.slice()], name)));
  } catch (error) {
    raiseError(error);
  }
}
