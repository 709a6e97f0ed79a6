import { MantineProvider } from "@mantine/core";
import { lazy, Suspense } from "react";
import { useMappingStore } from "../state/mapping.ts";
import { usePlaceStore, type Screen } from "../state/place.ts";
import "./styles/mantine.css";
import "./styles/controls.css";
import "./styles/setup.css";
import "./styles/methods.css";
import "./styles/panels.css";
import "./styles/train.css";
import { DeviceDialog } from "./components/CapabilityChip.tsx";
import { Dialogs } from "./components/Dialogs.tsx";
import { ExportDialog } from "./components/export/ExportDialog.tsx";
import { DropTarget, FileInputs } from "./components/FileDoors.tsx";
import { Header } from "./components/Header.tsx";
import { ShareDialog } from "./components/ShareDialog.tsx";
import { ShortcutSheet } from "./components/ShortcutSheet.tsx";
import { TabTitle } from "./components/TabTitle.ts";
import { useKeyboard } from "./components/useKeyboard.ts";
import { TrainPage } from "./pages/train/TrainPage.tsx";
import { cssVariablesResolver, theme } from "./theme.ts";

/** Screens that come after the shell. */
const lazyPages = {
  online: {
    label: "Online",
    Page: lazy(() =>
      import("./pages/online/OnlinePage.tsx").then(({ OnlinePage }) => ({ default: OnlinePage })),
    ),
  },
  data: {
    label: "Data",
    Page: lazy(() => import("./pages/data/DataPage.tsx").then(({ DataPage }) => ({ default: DataPage }))),
  },
  features: {
    label: "Features",
    Page: lazy(() =>
      import("./pages/features/FeaturesPage.tsx").then(({ FeaturesPage }) => ({ default: FeaturesPage })),
    ),
  },
  models: {
    label: "Models",
    Page: lazy(() =>
      import("./pages/models/ModelsPage.tsx").then(({ ModelsPage }) => ({ default: ModelsPage })),
    ),
  },
} satisfies Record<Exclude<Screen, "train">, unknown>;

/** Asks for the columns of a set; files can be dropped on every screen. */
const MappingDialog = lazy(() =>
  import("./pages/data/MappingDialog.tsx").then(({ MappingDialog: Dialog }) => ({ default: Dialog })),
);

/** What the skip link leads to. */
const mainPart: Record<Screen, string> = {
  train: "the run",
  online: "the rounds",
  data: "the data",
  features: "the features",
  models: "the models",
};

/** The whole page. */
export function App() {
  useKeyboard();
  const screen = usePlaceStore((place) => place.screen);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} defaultColorScheme="auto">
      <a className="skip-link" href="#live" onClick={skipToLive}>
        Skip to {mainPart[screen]}
      </a>
      <div className="app">
        <Header />
        <Content screen={screen} />
      </div>
      <TabTitle />
      <FileInputs />
      <DropTarget />
      <DeviceDialog />
      <ShareDialog />
      <ShortcutSheet />
      <ExportDialog />
      <Dialogs />
      <Columns />
    </MantineProvider>
  );
}

function Columns() {
  const wasAsked = useMappingStore(({ source }) => source !== null);
  return wasAsked ? (
    <Suspense fallback={null}>
      <MappingDialog />
    </Suspense>
  ) : null;
}

function Content({ screen }: { readonly screen: Screen }) {
  if (screen === "train") return <TrainPage />;
  const { Page, label } = lazyPages[screen];
  return (
    <Suspense fallback={<main className="screen-waiting" aria-busy="true" aria-label={label} />}>
      <Page />
    </Suspense>
  );
}

/** The address holds the setup, so the skip link moves the focus without changing it. */
function skipToLive(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("live")?.focus();
}
