/** Starts the page and the worker; nothing else starts anything. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { offerAutomation } from "./state/automation.ts";
import { boot } from "./state/boot.ts";
import { App } from "./ui/App.tsx";

const booted = boot({
  createPort: () =>
    new Worker(new URL("./worker/worker.ts", import.meta.url), { type: "module", name: document.baseURI }),
  search: location.search,
  isSecure: window.isSecureContext,
});
offerAutomation(location.search, booted);

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no root element.");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
