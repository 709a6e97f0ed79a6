import { Skeleton } from "@mantine/core";
import { listAgain } from "../../../state/shelf.ts";
import { useShelfStore } from "../../../state/shelfStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { EmbeddedCard } from "./EmbeddedCard.tsx";
import { ShelfCard } from "./ShelfCard.tsx";

/** The models that are here: those that come with the studio, and those that the browser keeps. */
export function ShelfPanel() {
  const { shelf, refusal, working } = useShelfStore();
  const hasEnded = useSetupStore(({ runningConfig }) => runningConfig !== null);
  return (
    <Panel title="On this browser’s shelf">
      <Refusal
        title="That did not work."
        reason={refusal}
        // Listing again mends nothing but a list that is not there.
        {...(shelf === null && { onRetry: () => void listAgain() })}
      />
      <p role="status" className={working === null ? "visually-hidden" : "note"}>
        {working === null ? "" : `${working}…`}
      </p>
      {hasEnded && (
        <p className="note">Using another model clears the run from the screen: keep its adapter first.</p>
      )}
      <ul className="shelf-cards">
        <EmbeddedCard />
        {shelf?.models.map((model) => (
          <ShelfCard key={model.id} model={model} />
        ))}
      </ul>
      {shelf === null && refusal === null && <Skeleton height={96} radius={6} animate={false} mt={8} />}
      {shelf !== null && shelf.models.length === 0 && (
        <p className="note" data-testid="shelf-empty">
          Nothing is kept yet: get a model from the Hub or keep one from your disk.
        </p>
      )}
    </Panel>
  );
}
