/** The tiny model and its pairs as the session holds them, for tests of what works on them. */
import type { OwnModel } from "../keptReference.ts";
import { identify, loadData, loadOnto } from "../library.ts";
import { openBackend } from "../openBackend.ts";
import type { Commands } from "../protocol.ts";
import type { OwnData } from "../runSettings.ts";
import { tinyDataFile, tinyModelFiles } from "../tinyStudio.testing.ts";

/** Loads both onto the cpu. */
export async function openTinyModel(): Promise<{ readonly owner: OwnModel; readonly data: OwnData }> {
  const device = await openBackend({ backend: "cpu", isSecure: true, injections: [] });
  const files = tinyModelFiles();
  const loaded = await loadOnto(device, files, { weights: "keep" });
  const owner = { ...loaded, ...(await identify(files, { weights: "keep", isShipped: false })), id: "local" };
  const question: Commands["loadData"]["question"] = {
    id: "local",
    objective: "",
    files: [tinyDataFile()],
    maxTokens: 32,
    terminator: "auto",
    layout: "",
    columns: {},
    steps: [],
  };
  const fetchFile = (path: string) => Promise.reject(new Error(`"${path}" is not there.`));
  // What is known of the reference is no matter here.
  return { owner, data: (await loadData(question, owner, { fetchFile })) as OwnData };
}
