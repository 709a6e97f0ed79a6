import { Button, Skeleton } from "@mantine/core";
import { askToKeep, useKeepingStore } from "../../../state/keeping.ts";
import { useShelfStore } from "../../../state/shelfStore.ts";
import type { StorageUse } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatBytes, formatBytesOf, formatFineShare } from "../../format.ts";

/** How full the browser's storage is and with what, and whether the browser promises to keep it. */
export function StoragePanel() {
  const storage = useShelfStore((state) => state.shelf?.storage ?? null);
  const hasFailed = useShelfStore(({ refusal }) => refusal !== null);
  return (
    <Panel title="Storage">
      {storage === null ? (
        hasFailed ? (
          <p className="note">How full the storage is could not be found out.</p>
        ) : (
          <Skeleton height={48} radius={6} animate={false} />
        )
      ) : (
        <Meter storage={storage} />
      )}
      {storage !== null && !storage.isLasting && (
        <p className="storage-warning">
          This browser gives the page no lasting storage, as in a private window: what is kept is gone with
          the page. Save to your disk what you need.
        </p>
      )}
      {storage?.isLasting === true && <Keeping />}
    </Panel>
  );
}

const kinds: readonly (readonly [keyof StorageUse["byKind"], string])[] = [
  ["models", "Models"],
  ["adapters", "Adapters"],
  ["reference", "Reference values"],
  ["other", "Other"],
];

/** Parts of the meter in the order of the list, which names them again with their sizes. */
function Meter({ storage: { usedBytes, quotaBytes, byKind } }: { readonly storage: StorageUse }) {
  const whole = quotaBytes ?? Math.max(usedBytes, 1);
  const share = quotaBytes === null || quotaBytes === 0 ? null : usedBytes / quotaBytes;
  return (
    <div className="storage" data-testid="storage">
      <p>
        <strong>
          {quotaBytes === null ? formatBytes(usedBytes) : formatBytesOf(usedBytes, quotaBytes)} used
        </strong>
        {share !== null &&
          ` (${share > 0 && share < 0.0001 ? `less than ${formatFineShare(0.0001)}` : formatFineShare(share)})`}
      </p>
      <div className="storage-meter" aria-hidden="true">
        {kinds.map(([kind]) => (
          <span
            key={kind}
            className={`storage-${kind}`}
            style={{ width: `${(100 * byKind[kind]) / whole}%` }}
          />
        ))}
      </div>
      <dl className="storage-kinds">
        {kinds.map(([kind, name]) => (
          <div key={kind}>
            <dt>
              <span className={`storage-key storage-${kind}`} aria-hidden="true" />
              {name}
            </dt>
            <dd>{formatBytes(byKind[kind])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Keeping() {
  const { isKept, answer } = useKeepingStore();
  return (
    <div className="storage-keeping">
      {isKept !== true && (
        <>
          <p className="note">When space runs short, a browser may delete what a page has stored.</p>
          <Button size="xs" variant="default" onClick={() => void askToKeep()}>
            Ask the browser to keep it
          </Button>
        </>
      )}
      <p role="status" className="note" data-testid="keeping">
        {isKept === true ? "The browser keeps it until you delete it." : answer}
      </p>
    </div>
  );
}
