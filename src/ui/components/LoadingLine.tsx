import { Progress } from "@mantine/core";
import { useSetupStore } from "../../state/setupStore.ts";
import { formatBytesOf, formatShare } from "../format.ts";

/** How far the model's way onto the device is; nothing while none is on it. */
export function LoadingLine() {
  const loading = useSetupStore((state) => state.loading);
  const bytes = useSetupStore((state) => state.loadingBytes);
  if (loading !== "model") return null;
  const share = bytes === null || bytes.totalBytes === 0 ? 0 : bytes.doneBytes / bytes.totalBytes;
  return (
    <div className="loading-line" data-testid="loading-line">
      <span>
        {bytes === null ? "Loading…" : `Loading ${formatBytesOf(bytes.doneBytes, bytes.totalBytes)}`}
      </span>
      <Progress value={100 * share} size={6} aria-label="Model on its way to the device" />
      <span>{bytes === null ? "" : formatShare(share)}</span>
    </div>
  );
}
