import { Button } from "@mantine/core";
import { exportData, readNow } from "../../../state/dataAnswers.ts";
import { localId } from "../../../state/link.ts";
import { openMapping } from "../../../state/mapping.ts";
import { openTab } from "../../../state/navigation.ts";
import { presentSource } from "../../../state/readSource.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { openLayer } from "../../../state/viewStore.ts";
import type { DataSummary } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { formatCount } from "../../format.ts";
import { useLoadedData } from "./useLoadedData.ts";

/** The set in use with its counts, and what can be done with all of it. */
export function DataBar() {
  const { data, isLoading, isWaiting } = useLoadedData();
  return (
    <section className="panel data-bar" aria-label="Set in use" aria-busy={isLoading}>
      <div className="data-bar-line">
        <h2>{data === null ? "No set yet" : data.label}</h2>
        {data === null ? (
          <p className="note">{isLoading ? "Reading the set…" : "Choose one of the sources below."}</p>
        ) : (
          <Figures data={data} />
        )}
        <Actions isEmpty={data === null} />
      </div>
      {isWaiting && (
        <p className="data-waiting" data-testid="data-waiting">
          The set has changed; the change is read when the next run starts.{" "}
          <button type="button" className="link-button" onClick={() => void readNow()}>
            Read it now and clear the run
          </button>
        </p>
      )}
    </section>
  );
}

function Figures({ data }: { readonly data: DataSummary }) {
  const steps = useSetupStore(({ config }) => config.dataSteps.length);
  const pairs = data.trainPairs + data.heldoutPairs;
  return (
    <dl className="data-figures" data-testid="data-figures">
      {data.steps.length > 0 && data.readPairs !== pairs && (
        <div>
          <dt>pairs</dt>
          <dd>
            {formatCount(data.readPairs)} → {formatCount(pairs)}
          </dd>
        </div>
      )}
      <div>
        <dt>training pairs</dt>
        <dd>{formatCount(data.trainPairs)}</dd>
      </div>
      <div>
        <dt>held out</dt>
        <dd>{formatCount(data.heldoutPairs)}</dd>
      </div>
      <div>
        <dt>mean tokens, chosen / rejected</dt>
        <dd>
          {formatCount(data.meanChosenTokens)} / {formatCount(data.meanRejectedTokens)}
        </dd>
      </div>
      {steps > 0 && (
        <div>
          <dt>changes</dt>
          <dd>
            <button type="button" className="link-button" onClick={() => openTab("data", "changes")}>
              {formatCount(steps)}
            </button>
          </dd>
        </div>
      )}
      {data.notes.length > 0 && (
        <div>
          <dt>rows not read</dt>
          <dd>
            <button type="button" className="link-button" onClick={() => openLayer("rows")}>
              {formatCount(data.notes.length)}
            </button>
          </dd>
        </div>
      )}
    </dl>
  );
}

function Actions({ isEmpty }: { readonly isEmpty: boolean }) {
  const config = useSetupStore((state) => state.config);
  const hasColumns = config.data === localId || config.data.startsWith("hub:");
  return (
    <div className="panel-actions">
      {hasColumns && (
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="table" size={14} />}
          onClick={() => openMapping(presentSource(), null, config)}
        >
          Columns
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        disabled={isEmpty}
        leftSection={<Icon name="save" size={14} />}
        onClick={() => void exportData()}
      >
        Export JSONL
      </Button>
    </div>
  );
}
