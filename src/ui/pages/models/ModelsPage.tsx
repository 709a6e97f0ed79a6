/** The Models screen. */
export function ModelsPage() {
  return (
    <main id="live" tabIndex={-1} aria-label="Models">
      <h2>Models</h2>
    </main>
  );
}
