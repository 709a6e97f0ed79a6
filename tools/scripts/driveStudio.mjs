/** Trains on the built page in headless Chromium: one browser, and as many runs on a page as are wanted. */
import { distFolder } from "./build.mjs";
import { chromiumArgs, findChromium } from "./chromium.mjs";
import { serve } from "./server.mjs";

/**
 * Serves the built page to one browser, calls `work` with a function that opens a studio in it, and ends both.
 * That function takes `{ modelFiles, dataFiles, saeFiles }`, paths that are left out when the embedded ones are meant.
 */
export async function withBrowser(work) {
  const { chromium } = await import("playwright-core");
  const executablePath = await findChromium();
  const server = await serve(distFolder);
  const browser = await chromium.launch({ executablePath, args: chromiumArgs() });
  try {
    return await work((files) => openStudio(browser, server.url, files));
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * Opens the studio on a page of its own; runs on it follow one another.
 * `train(config, onProgress)` resolves to a run's result, `preflight(config)` to what it will cost; both throw what
 * the page says when it fails, with its code as `code`.
 */
async function openStudio(browser, url, { modelFiles = [], dataFiles = [], saeFiles = [] } = {}) {
  // Pages of one context share a file system, in which they would wait for one another.
  const context = await browser.newContext();
  const page = await context.newPage();
  const crashed = new Promise((_, reject) => {
    page.on("crash", () => reject(new Error("The page crashed: the browser may have run out of memory.")));
  });
  // Without a run nobody waits for it.
  crashed.catch(() => undefined);
  let tell = () => undefined;
  const ask = async (name, config) => {
    const outcome = await Promise.race([callPage(page, name, config), crashed]).catch((error) => {
      throw new Error(reasonOf(error, browser), { cause: error });
    });
    if (!outcome.failure) return outcome.result;
    const { code, message } = outcome.failure;
    throw Object.assign(new Error(code ? `${message} (${code})` : message), { code });
  };
  await page.exposeFunction("prefscopeProgress", (progress) => tell(progress));
  await page.goto(`${url}/?cli=1`);
  await page.waitForFunction(() => window.prefscope !== undefined);
  // Nobody looks at it, and drawing charts takes time from the training.
  await page.addStyleTag({ content: "body { display: none }" });
  if (modelFiles.length > 0) await page.setInputFiles('input[data-testid="model-files"]', modelFiles);
  if (dataFiles.length > 0) await page.setInputFiles('input[data-testid="data-files"]', dataFiles);
  if (saeFiles.length > 0) await page.setInputFiles('input[data-testid="sae-files"]', saeFiles);
  return {
    train: (config, onProgress = () => undefined) => {
      tell = onProgress;
      return ask("train", config);
    },
    preflight: (config) => ask("preflight", config),
  };
}

/** What a function of `window.prefscope` answers: an error object would cross as a stack trace, its fields do not. */
function callPage(page, name, config) {
  return page.evaluate(
    ([called, wanted]) =>
      window.prefscope[called](wanted).then(
        (result) => ({ result }),
        ({ name: kind, code, message }) => ({ failure: { name: kind, code, message } }),
      ),
    [name, config],
  );
}

function reasonOf(error, browser) {
  if (!browser.isConnected())
    return "The browser stopped before the run was done: it was closed or ran out of memory.";
  // What the browser's driver says goes on for pages; its first line says what happened.
  return error.message.split("\n", 1)[0];
}
