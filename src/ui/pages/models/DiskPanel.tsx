import { Button, FileButton, TextInput } from "@mantine/core";
import { useRef } from "react";
import {
  chooseDiskFiles,
  forgetDiskModel,
  keepDiskModel,
  nameDiskModel,
  openDiskModel,
  useDiskStore,
} from "../../../state/diskModel.ts";
import { raiseError } from "../../../state/messageStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useShelfStore } from "../../../state/shelfStore.ts";
import { chooseAnew } from "../../components/FileDoors.tsx";
import { Icon } from "../../components/Icon.tsx";
import { Panel } from "../../components/Panel.tsx";
import { formatBytes } from "../../format.ts";

/** A model from the disk: used where it lies, or copied onto the shelf. */
export function DiskPanel() {
  const hasFiles = useDiskStore(({ files }) => files.length > 0);
  return (
    <Panel title="From your disk">
      <p className="note">
        A folder with config.json, safetensors (also sharded) and tokenizer.json; a .gguf file; or a .zip of
        either. It is read here and sent nowhere.
      </p>
      <div className="dialog-actions">
        <FileButton multiple onChange={choose} inputProps={filesInput}>
          {(props) => (
            <Button {...props} size="xs" variant="default" leftSection={<Icon name="file" size={14} />}>
              Choose files…
            </Button>
          )}
        </FileButton>
        <FolderButton />
      </div>
      {hasFiles && <Chosen />}
    </Panel>
  );
}

const filesInput = {
  "aria-label": "Files of a model",
  "data-testid": "disk-files",
  onClick: chooseAnew,
} as const;

function choose(files: readonly File[]): void {
  chooseDiskFiles(files).catch(raiseError);
}

/** React knows no attribute for folders. */
function FolderButton() {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        hidden
        type="file"
        aria-label="Folder of a model"
        data-testid="disk-folder"
        ref={(element) => {
          input.current = element;
          element?.setAttribute("webkitdirectory", "");
        }}
        onChange={({ currentTarget }) => {
          choose([...(currentTarget.files ?? [])]);
          // Choosing the same folder again must count as a change.
          currentTarget.value = "";
        }}
      />
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon name="folder" size={14} />}
        onClick={() => input.current?.click()}
      >
        Choose a folder…
      </Button>
    </>
  );
}

function Chosen() {
  const { files, label } = useDiskStore();
  const isKeeping = useShelfStore(({ working }) => working !== null);
  const isLoading = useSetupStore(({ loading }) => loading !== null);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return (
    <div className="disk-chosen" data-testid="disk-chosen">
      <p>
        {files.length === 1 ? files[0]?.name : `${files.length} files`} · {formatBytes(bytes)}
      </p>
      <TextInput
        size="xs"
        label="Name on the shelf"
        value={label}
        onChange={({ currentTarget }) => nameDiskModel(currentTarget.value)}
      />
      <div className="dialog-actions">
        <Button size="xs" loading={isKeeping} onClick={() => void keepDiskModel()}>
          Keep on the shelf
        </Button>
        <Button
          size="xs"
          variant="default"
          loading={isLoading}
          onClick={() => {
            openDiskModel().catch(raiseError);
          }}
        >
          Use now, keep nothing
        </Button>
        <Button size="xs" variant="subtle" onClick={forgetDiskModel}>
          Never mind
        </Button>
      </div>
      <p className="note">
        On the shelf it is there after a reload. Used now it is read where it lies, and this page forgets it.
      </p>
    </div>
  );
}
