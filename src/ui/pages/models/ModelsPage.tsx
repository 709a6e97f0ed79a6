import { useEffect } from "react";
import { lookUpKeeping } from "../../../state/keeping.ts";
import { refreshShelf } from "../../../state/shelf.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { MessageAlerts } from "../../components/MessageAlerts.tsx";
import { AdaptersPanel } from "./AdaptersPanel.tsx";
import { DiskPanel } from "./DiskPanel.tsx";
import { DownloadList } from "./DownloadList.tsx";
import { HubPanel } from "./HubPanel.tsx";
import { InUsePanel } from "./InUsePanel.tsx";
import { ShelfPanel } from "./ShelfPanel.tsx";
import { StoragePanel } from "./StoragePanel.tsx";
import "./models.css";

/** The Models screen: getting models and adapters, keeping them, using them and sending them out. */
export function ModelsPage() {
  // Before the trainer is up it has no shelf to list.
  const isUp = useSetupStore((state) => state.description !== null);
  useEffect(() => {
    if (isUp) void refreshShelf();
    void lookUpKeeping();
  }, [isUp]);
  return (
    <main className="models" id="live" tabIndex={-1} aria-label="Models">
      <MessageAlerts />
      <InUsePanel />
      <DownloadList />
      <div className="models-columns">
        <div className="models-column">
          <ShelfPanel />
          <AdaptersPanel />
        </div>
        <div className="models-column">
          <HubPanel />
          <DiskPanel />
          <StoragePanel />
        </div>
      </div>
    </main>
  );
}
