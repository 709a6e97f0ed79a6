import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { chooseData, choosePreset } from "../../../../state/editing.ts";
import { openTab } from "../../../../state/navigation.ts";
import { nameOf, presentSource } from "../../../../state/readSource.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import { chooseFiles } from "../../../components/FileDoors.tsx";
import { Icon } from "../../../components/Icon.tsx";
import { formatCount } from "../../../format.ts";
import { openLayer } from "../../../../state/viewStore.ts";
import type { DataSummary } from "../../../../worker/protocol.ts";

/** The list of starting points with the promise of the chosen one. */
export function PresetChoice() {
  const { description, presetId } = useSetupStore();
  const presets = description?.presets ?? [];
  return (
    <>
      <NativeSelect
        size="xs"
        aria-label="Preset"
        data-field="preset"
        value={presetId}
        data={presets.map(({ id, label }) => ({ value: id, label }))}
        onChange={({ currentTarget }) => {
          choosePreset(currentTarget.value);
        }}
      />
      <p className="note">{presets.find(({ id }) => id === presetId)?.promise}</p>
    </>
  );
}

/** The preference set, which of its objectives is trained, and the door to another. */
export function DataChoice() {
  const setup = useSetupStore();
  const { config, description, data, loading } = setup;
  const sets = description?.datasets ?? [];
  const card = sets.find(({ id }) => id === config.data);
  const choices = sets.map(({ id, label }) => ({ value: id, label }));
  if (card === undefined) choices.push({ value: config.data, label: data?.label ?? nameOf(presentSource()) });
  const objectives = (card?.objectives ?? []).map(({ id, label }) => ({ value: id, label }));
  const problem = setupProblems(setup).find(({ field }) => field === "data")?.message;
  return (
    <>
      <div className="source-line">
        <NativeSelect
          size="xs"
          aria-label="Preference data"
          data-field="data"
          value={config.data}
          error={problem}
          data={choices}
          onChange={({ currentTarget }) => {
            chooseData(currentTarget.value, "");
          }}
        />
        <OpenButton part="data" label="Open files of preference data" />
      </div>
      {objectives.length > 1 && (
        <SegmentedControl
          size="xs"
          fullWidth
          aria-label="Objective"
          data={objectives}
          value={config.objective}
          onChange={(objective) => {
            chooseData(config.data, objective);
          }}
        />
      )}
      <p className="note" data-testid="data-summary">
        {loading === "data" || data === null
          ? "Loading…"
          : `${formatCount(data.trainPairs)} pairs + ${formatCount(data.heldoutPairs)} held out${
              data.judge === null ? "" : ` · judge: ${data.judge}`
            }`}
      </p>
      <p className="note">
        <button type="button" className="link-button" onClick={() => openTab("data", "pairs")}>
          Look into the pairs
        </button>
        {config.dataSteps.length > 0 && ` · ${changesText(config.dataSteps.length)}`}
      </p>
      {loading !== "data" && data !== null && <LeftOut data={data} />}
    </>
  );
}

function changesText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "change" : "changes"} to the set`;
}

/** What was left out or cut of the set, for as long as it is loaded, and the way to the rows. */
function LeftOut({ data: { healthMessage, notes } }: { readonly data: DataSummary }) {
  if (healthMessage === null) return null;
  return (
    <p className="note" data-testid="data-health">
      {healthMessage}{" "}
      {notes.length > 0 && (
        <button type="button" className="link-button" onClick={() => openLayer("rows")}>
          Show {notes.length === 1 ? "the row" : `the ${formatCount(notes.length)} rows`}
        </button>
      )}
    </p>
  );
}

/** The door to files of the disk. */
export function OpenButton({ part, label }: { readonly part: "model" | "data"; readonly label: string }) {
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={label}
      leftSection={<Icon name={part === "model" ? "folder" : "file"} size={14} />}
      onClick={() => {
        chooseFiles(part);
      }}
    >
      Open…
    </Button>
  );
}
