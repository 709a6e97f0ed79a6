import type { ReactNode } from "react";
import { usePlaceStore, type DataTab } from "../../../state/place.ts";
import { MessageAlerts } from "../../components/MessageAlerts.tsx";
import { ScreenTabs } from "../../components/ScreenTabs.tsx";
import { AnnotateView } from "./AnnotateView.tsx";
import { BatchView } from "./BatchView.tsx";
import { DataBar } from "./DataBar.tsx";
import { HealthView } from "./HealthView.tsx";
import { PairsView } from "./PairsView.tsx";
import { SourcesView } from "./SourcesView.tsx";
import { StepsView } from "./StepsView.tsx";
import "../../charts/charts.css";
import "./data.css";

const tabNames: Record<DataTab, string> = {
  sources: "Sources",
  pairs: "Pairs",
  health: "Health",
  changes: "Changes",
  batch: "First batch",
  annotate: "Annotate",
};

const views: Record<DataTab, () => ReactNode> = {
  sources: () => <SourcesView />,
  pairs: () => <PairsView />,
  health: () => <HealthView />,
  changes: () => <StepsView />,
  batch: () => <BatchView />,
  annotate: () => <AnnotateView />,
};

/** The Data screen: where pairs come from, what is in them and wrong with them, what is done to them, and how they are made. */
export function DataPage() {
  const tab = usePlaceStore((place) => place.tabs.data);
  return (
    <main className="data" id="live" tabIndex={-1} aria-label="Data">
      <MessageAlerts />
      <DataBar />
      <ScreenTabs screen="data" label="Data" tab={tab} names={tabNames} />
      <div role="tabpanel" id="data-panel" aria-labelledby={`data-tab-${tab}`}>
        {views[tab]()}
      </div>
    </main>
  );
}
