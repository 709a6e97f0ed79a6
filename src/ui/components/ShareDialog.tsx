import { Modal } from "@mantine/core";
import { changesBetween } from "../../state/configChanges.ts";
import { formatLink, linkBase, localId } from "../../state/link.ts";
import { linkedConfig, useSaeStore } from "../../state/saeStore.ts";
import { isShelfId } from "../../state/shelfStore.ts";
import { useSetupStore } from "../../state/setupStore.ts";
import { openLayer, useViewStore } from "../../state/viewStore.ts";
import { CopyButton } from "./CopyButton.tsx";
import { fieldLabel, fieldValue } from "./fieldLabel.ts";

/** The link of the present setup, with exactly what is in it. */
export function ShareDialog() {
  const isOpen = useViewStore((state) => state.layer === "share");
  return (
    <Modal
      opened={isOpen}
      onClose={() => {
        openLayer(null);
      }}
      title="Share this setup"
      size="lg"
    >
      <ShareContent />
    </Modal>
  );
}

function ShareContent() {
  const { config: present, presetId, description } = useSetupStore();
  const config = linkedConfig(present, useSaeStore());
  if (description === null) return <p>The setup is still loading.</p>;
  const base = linkBase(presetId, { method: null, secondMethod: null }, description);
  const changes = changesBetween(base, config).filter(({ to }) => to !== localId);
  const link = `${location.origin}${location.pathname}${formatLink(config, presetId, description)}`;
  const isKeptModel = isShelfId(config.model);
  const hasLocalFiles = config.model === localId || config.data === localId;
  return (
    <>
      <textarea className="share-link" readOnly value={link} aria-label="Link" rows={3} />
      <div className="dialog-actions">
        <CopyButton text={link} label="Copy link" />
      </div>
      <h3>What is in it</h3>
      <dl className="report">
        <div>
          <dt>Preset</dt>
          <dd>{description.presets.find(({ id }) => id === presetId)?.label}</dd>
        </div>
        {changes.map(({ field, to }) => (
          <div key={field}>
            <dt>{fieldLabel(field, description)}</dt>
            <dd>{fieldValue(field, to, description)}</dd>
          </div>
        ))}
        {!changes.some(({ field }) => field === "seed") && (
          <div>
            <dt>Seed</dt>
            <dd>{config.seed}</dd>
          </div>
        )}
      </dl>
      <p className="note">
        Nothing else: no weights, no prompts, no answers, no files. The part after # never reaches a server.
        {hasLocalFiles &&
          " Files from your disk stay there: whoever opens the link starts with the embedded ones."}
        {isKeptModel &&
          " The link names the model alone: whoever opens it needs it on a shelf of their own, where the Models screen puts it."}
        {config.adapters.length > 0 && " Adapters of your shelf stay here."}
      </p>
    </>
  );
}
