import { defineConfig, devices } from "@playwright/test";
import { chromiumArgs } from "./tools/scripts/chromium.mjs";

const port = 4187;
// Software WebGPU on two cores is slow: a journey that trains may take minutes, a click never does.
const journeyTimeoutMs = 240_000;
const expectTimeoutMs = 30_000;
const buildTimeoutMs = 300_000;

export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.spec.ts",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: journeyTimeoutMs,
  expect: { timeout: expectTimeoutMs },
  reporter: "list",
  use: {
    baseURL: `http://localhost:${port}`,
    actionTimeout: expectTimeoutMs,
    trace: "retain-on-failure",
    launchOptions: {
      args: chromiumArgs(),
      ...(process.env.CHROMIUM_PATH && { executablePath: process.env.CHROMIUM_PATH }),
    },
  },
  projects: [
    { name: "desktop", grepInvert: /@phone/, use: { viewport: { width: 1440, height: 900 } } },
    {
      name: "phone",
      grep: /@phone/,
      use: { ...devices["Pixel 7"], viewport: { width: 390, height: 844 } },
    },
  ],
  webServer: {
    command: `node tools/scripts/start.mjs --port ${port}`,
    url: `http://localhost:${port}`,
    timeout: buildTimeoutMs,
    reuseExistingServer: false,
  },
});
