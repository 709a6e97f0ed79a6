import { Button, Checkbox } from "@mantine/core";
import { editLeaving, saveModel, useLeavingStore } from "../../../state/leaving.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Icon } from "../Icon.tsx";
import { Refusal } from "../Refusal.tsx";
import { KindChoice } from "./KindChoice.tsx";

/** The model as files on the disk. */
export function FilesTab() {
  const { isZip, working, refusal, saved } = useLeavingStore();
  const hasModel = useSetupStore(({ model }) => model !== null);
  return (
    <>
      <KindChoice />
      <Checkbox
        size="sm"
        label="All in one .zip"
        checked={isZip}
        onChange={({ currentTarget }) => editLeaving({ isZip: currentTarget.checked })}
      />
      <p className="note">
        A README goes along with the settings and figures of the run. Nothing leaves this machine.
      </p>
      <div className="dialog-actions">
        <Button
          size="xs"
          data-testid="export-save"
          leftSection={<Icon name="save" size={14} />}
          loading={working === "files"}
          disabled={!hasModel || working !== null}
          onClick={() => void saveModel()}
        >
          Save
        </Button>
      </div>
      <Refusal title="It was not saved." reason={refusal} />
      <p role="status" data-testid="export-saved">
        {saved === "" ? "" : `Saved: ${saved}`}
      </p>
    </>
  );
}
