import { Modal } from "@mantine/core";
import { lazy, Suspense } from "react";
import { openLayer, useViewStore } from "../../../state/viewStore.ts";

const ExportTabs = lazy(() => import("./ExportTabs.tsx").then((part) => ({ default: part.ExportTabs })));

/** The ways out for the model: files, the Hub, and whatever else continues it elsewhere. */
export function ExportDialog() {
  const isOpen = useViewStore((state) => state.layer === "export");
  return (
    <Modal opened={isOpen} onClose={() => openLayer(null)} title="Take the model with you" size="lg">
      <Suspense fallback={<p className="note">Loading…</p>}>
        <ExportTabs />
      </Suspense>
    </Modal>
  );
}
