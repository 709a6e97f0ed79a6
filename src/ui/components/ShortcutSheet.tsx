import { Kbd, Modal, Switch } from "@mantine/core";
import { openLayer, useViewStore } from "../../state/viewStore.ts";
import { shortcuts } from "../text.ts";

/** The keys of the studio, and the switch that turns single-letter keys off. */
export function ShortcutSheet() {
  const isOpen = useViewStore((state) => state.layer === "shortcuts");
  const areLettersOn = useViewStore((state) => state.areLettersOn);
  return (
    <Modal
      opened={isOpen}
      onClose={() => {
        openLayer(null);
      }}
      title="Keyboard"
    >
      <dl className="report">
        {shortcuts.map(([key, action]) => (
          <div key={key}>
            <dt>
              <Kbd>{key}</Kbd>
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
      <Switch
        size="sm"
        label="Single-letter keys"
        description="They never fire while you type."
        checked={areLettersOn}
        onChange={(event) => {
          useViewStore.setState({ areLettersOn: event.currentTarget.checked });
        }}
      />
    </Modal>
  );
}
