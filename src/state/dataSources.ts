/** Uses preference sets; where it is in doubt which column is which, that is asked first. */
import { TrainerError } from "../worker/rpc.ts";
import { sentenceOf } from "./asked.ts";
import { ensureLoaded } from "./loading.ts";
import { asksForColumns, closeMapping, openMapping, useMappingStore } from "./mapping.ts";
import { raiseError } from "./messageStore.ts";
import { asTold, nameOf, readSource, type DataSource, type ReadingChoice } from "./readSource.ts";
import { addLog } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { isBusy, takeOver } from "./takeOver.ts";

/** Uses a set, or asks which column is which where that is in doubt. */
export async function takeSource(
  source: DataSource,
  { dataLayout, dataColumns }: ReadingChoice = asTold,
): Promise<void> {
  if (isBusy()) return;
  const choice = { dataLayout, dataColumns };
  const isChosen = dataLayout !== "" || Object.keys(dataColumns).length > 0;
  try {
    const reading = await readSource(source, choice);
    if (reading.isCertain || isChosen) await adoptSource(source, choice);
    else openMapping(source, reading);
  } catch (error) {
    tell(source, error);
  }
}

/** Uses a set with these columns; resolves to why it was refused, or to null once the trainer has taken it. */
async function adoptSource(source: DataSource, choice: ReadingChoice): Promise<string | null> {
  if (isBusy()) return "A run is going on. Stop it first.";
  const { config, chosenFiles: previous, loaded: held } = useSetupStore.getState();
  const wanted = { data: source.id, objective: "", ...choice, dataSteps: [] };
  useSetupStore.setState(({ loaded, chosenFiles }) => ({
    chosenFiles: { ...chosenFiles, data: source.files ?? chosenFiles.data },
    // Another file under the same name is another set.
    loaded: loaded && { ...loaded, data: "" },
  }));
  try {
    await ensureLoaded({ ...config, ...wanted });
    useSetupStore.setState(({ config: present }) => ({ config: { ...present, ...wanted } }));
    addLog({ level: "info", message: `Opened the preference pairs in ${nameOf(source)}.` });
    await takeOver();
    return null;
  } catch (error) {
    useSetupStore.setState(({ loaded }) => ({
      chosenFiles: previous,
      // The trainer keeps the set it had when it refuses a file, unless it had to change the model or the device first.
      loaded:
        loaded?.model === held?.model && loaded?.backend === held?.backend
          ? held
          : loaded && { ...loaded, data: "" },
    }));
    tell(source, error);
    return sentenceOf(error);
  }
}

/** Uses the set with the chosen columns; the dialog stays open when it is refused. */
export async function applyMapping(): Promise<void> {
  const { source, choice } = useMappingStore.getState();
  if (source === null) return;
  useMappingStore.setState({ isApplying: true, refusal: null });
  const refusal = await adoptSource(source, choice);
  if (refusal === null) closeMapping();
  else useMappingStore.setState({ isApplying: false, refusal });
}

/** Tells why a set was refused; where its columns were not recognised, they can be chosen. */
function tell(source: DataSource, error: unknown): void {
  if (error instanceof TrainerError && error.code === "DAT-1") asksForColumns(source);
  raiseError(error);
}
