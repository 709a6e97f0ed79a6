import { Button, FileButton, Skeleton, TextInput } from "@mantine/core";
import { useState } from "react";
import { importAdapter, keepAdapter } from "../../../state/adapterStack.ts";
import { isRunActive, useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useShelfStore } from "../../../state/shelfStore.ts";
import { chooseAnew } from "../../components/FileDoors.tsx";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { AdapterRow } from "./AdapterRow.tsx";
import { StackBar } from "./StackBar.tsx";

/** The adapters beside the shelf: brought in, kept after a run, and stacked on the loaded model. */
export function AdaptersPanel() {
  const shelf = useShelfStore((state) => state.shelf);
  const hasFailed = useShelfStore(({ refusal }) => refusal !== null);
  const isBusy = useShelfStore(({ working }) => working !== null);
  const adapters = shelf?.adapters ?? [];
  return (
    <Panel
      title="Adapters"
      aside={
        <FileButton multiple onChange={(files) => void importAdapter(files)} inputProps={adapterInput}>
          {(props) => (
            <Button
              {...props}
              size="xs"
              variant="default"
              disabled={isBusy}
              leftSection={<Icon name="folder" size={14} />}
            >
              Import PEFT…
            </Button>
          )}
        </FileButton>
      }
    >
      <KeepLast />
      {shelf === null && !hasFailed && <Skeleton height={64} radius={6} animate={false} />}
      {shelf !== null && adapters.length === 0 && (
        <p className="note" data-testid="adapters-empty">
          Adapters that you keep after a run, or import as adapter_config.json with adapter_model.safetensors,
          appear here.
        </p>
      )}
      {adapters.length > 0 && (
        <>
          <ul className="adapter-rows">
            {adapters.map((adapter) => (
              <AdapterRow key={adapter.id} adapter={adapter} />
            ))}
          </ul>
          <StackBar />
        </>
      )}
    </Panel>
  );
}

const adapterInput = {
  "aria-label": "Files of an adapter",
  "data-testid": "adapter-files",
  onClick: chooseAnew,
} as const;

/** The adapter of the run that is on the screen, while it is on nobody's shelf. */
function KeepLast() {
  const config = useSetupStore(({ runningConfig }) => runningConfig);
  const { phase, step, runId } = useRunStore();
  const isBusy = useShelfStore(({ working }) => working !== null);
  const [name, setName] = useState<string | null>(null);
  const [kept, setKept] = useState<string | null>(null);
  const canKeep = config?.tuning === "lora" && step > 0 && (phase === "paused" || !isRunActive(phase));
  if (!canKeep || phase === "waking") return null;
  const key = `${runId} ${step}`;
  const label = name ?? `${config.method}, ${config.data}, ${step} steps`;
  if (kept === key) return null;
  const keep = async () => {
    if (await keepAdapter(label.trim())) setKept(key);
  };
  return (
    <form
      className="keep-last"
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <TextInput
        size="xs"
        label="The last run’s adapter"
        value={label}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
      />
      <Button size="xs" type="submit" data-testid="keep-adapter" disabled={isBusy || label.trim() === ""}>
        Keep it
      </Button>
    </form>
  );
}
