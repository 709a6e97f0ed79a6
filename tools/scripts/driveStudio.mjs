/** Trains on the built page. */

/**
 * Opens the studio on `page` and trains.
 * `request` is `{ url, config, modelFiles, dataFiles, onProgress }`; files are paths, empty when the embedded
 * ones are meant. Resolves to the run's result; throws what the page says when it fails.
 */
export async function driveStudio(page, { url, config, modelFiles, dataFiles, onProgress }) {
  await page.exposeFunction("prefscopeProgress", onProgress);
  await page.goto(`${url}/?cli=1`);
  await page.waitForFunction(() => window.prefscope !== undefined);
  if (modelFiles.length > 0) await page.setInputFiles('input[data-testid="model-files"]', modelFiles);
  if (dataFiles.length > 0) await page.setInputFiles('input[data-testid="data-files"]', dataFiles);
  // An error object would cross as a stack trace; its fields cross as they are.
  const outcome = await page.evaluate(
    (wanted) =>
      window.prefscope.train(wanted).then(
        (result) => ({ result }),
        ({ name, code, message }) => ({ failure: { name, code, message } }),
      ),
    config,
  );
  if (outcome.failure) {
    const { code, message } = outcome.failure;
    throw new Error(code ? `${message} (${code})` : message);
  }
  return outcome.result;
}
