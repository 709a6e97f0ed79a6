/** The Data screen. */
export function DataPage() {
  return (
    <main id="live" tabIndex={-1} aria-label="Data">
      <h2>Data</h2>
    </main>
  );
}
