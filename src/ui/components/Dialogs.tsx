import { Button, Modal, Table } from "@mantine/core";
import type { ReactNode } from "react";
import { restartNow, save } from "../../state/actions.ts";
import { pendingChanges, useSetupStore } from "../../state/setupStore.ts";
import { useRunStore } from "../../state/runStore.ts";
import { openLayer, useViewStore, type Layer } from "../../state/viewStore.ts";
import { formatClock } from "../format.ts";
import { acceptedFiles } from "../text.ts";
import { fieldLabel, fieldValue } from "./fieldLabel.ts";

/** The small dialogs of the studio. */
export function Dialogs() {
  return (
    <>
      <Dialog layer="changes" title="Changes for the next run">
        <Changes />
      </Dialog>
      <Dialog layer="restart" title="Start over?">
        <RestartQuestion />
      </Dialog>
      <Dialog layer="rows" title="Rows that were left out">
        <Rows />
      </Dialog>
      <Dialog layer="formats" title="Files the studio opens">
        <dl className="report">
          {acceptedFiles.map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <p className="note">Drop them anywhere on the window. They are read here and sent nowhere.</p>
      </Dialog>
    </>
  );
}

interface DialogProps {
  readonly layer: Layer;
  readonly title: string;
  readonly children: ReactNode;
}

function Dialog({ layer, title, children }: DialogProps) {
  const isOpen = useViewStore((state) => state.layer === layer);
  return (
    <Modal opened={isOpen} onClose={close} title={title} size="lg">
      {children}
    </Modal>
  );
}

function close(): void {
  openLayer(null);
}

function Changes() {
  const setup = useSetupStore();
  const changes = pendingChanges(setup);
  if (changes.length === 0) return <p>The present run has these very settings.</p>;
  return (
    <>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Setting</Table.Th>
            <Table.Th>Now</Table.Th>
            <Table.Th>Next run</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map(({ field, from, to }) => (
            <Table.Tr key={field}>
              <Table.Td>{fieldLabel(field, setup.description)}</Table.Td>
              <Table.Td>{fieldValue(field, from, setup.description)}</Table.Td>
              <Table.Td>{fieldValue(field, to, setup.description)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <div className="dialog-actions">
        <Button size="xs" variant="default" onClick={() => revert(setup.runningConfig)}>
          Take them back
        </Button>
      </div>
    </>
  );
}

function revert(config: ReturnType<typeof useSetupStore.getState>["runningConfig"]): void {
  if (config !== null) useSetupStore.setState({ config });
  close();
}

function RestartQuestion() {
  const { activeMs, step } = useRunStore();
  const saveFirst = async () => {
    await save();
    await restartNow();
  };
  return (
    <>
      <p>
        The adapter of step {step} holds {formatClock(activeMs / 1000)} of training that was not saved. A new
        run replaces it.
      </p>
      <div className="dialog-actions">
        <Button size="xs" onClick={() => void saveFirst()}>
          Save, then restart
        </Button>
        <Button size="xs" variant="default" onClick={() => void restartNow()}>
          Discard and restart
        </Button>
        <Button size="xs" variant="subtle" onClick={close}>
          Keep the run
        </Button>
      </div>
    </>
  );
}

function Rows() {
  const notes = useSetupStore((state) => state.data?.notes ?? []);
  return (
    <div className="table-box">
      <Table stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Row</Table.Th>
            <Table.Th>Why it was left out</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {notes.map(({ row, reason }) => (
            <Table.Tr key={`${row} ${reason}`}>
              <Table.Td>{row}</Table.Td>
              <Table.Td>{reason}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
